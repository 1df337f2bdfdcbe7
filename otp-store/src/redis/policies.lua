-- The policy: its versions by number, and the number that is in force. Beside it, boards: the newest
-- text of each, with its number.
local steps = {}

local VERSIONS, NUMBER = G .. 'policies', G .. 'policies:version'

local function in_force()
  return count(call('GET', NUMBER) or '0')
end

local function put(version, at)
  local record = {
    version = I(version), document = A.document, author = A.author, reason = A.reason, at = at,
  }
  call('ZADD', VERSIONS, I(version), cjson.encode(record))
  call('ZREMRANGEBYSCORE', VERSIONS, '-inf', I(version - A.kept))
  call('SET', NUMBER, I(version))
end

function steps.publish()
  local now, current = clock(true), in_force()
  if A.expected ~= I(current) then return { 'conflict', I(current) } end
  audit(A.event, now)
  put(current + 1, I(now))
  return { 'as', I(current + 1) }
end

-- It was put in force elsewhere, at a time of its own.
function steps.adopt()
  local version = count(A.version)
  if version > in_force() then put(version, A.at) end
  return {}
end

function steps.version()
  return { I(in_force()) }
end

function steps.history()
  local newest = call('ZREVRANGE', VERSIONS, 0, A.limit - 1)
  local records = {}
  for i, record in ipairs(A.limit > 0 and newest or {}) do records[i] = flat(decode(record)) end
  return { records }
end

function steps.post()
  local now, board = clock(true), G .. 'board:' .. A.board
  local current = call('HGET', board, 'revision') or '0'
  if A.expected ~= current then return { 'conflict', current } end
  local revision = I(math.max(time(current) + 1, now))
  for _, event in ipairs(A.events) do audit(event, now) end
  call('HSET', board, 'revision', revision, 'words', A.words)
  return { 'as', revision }
end

-- Whoever knows the number is not told the text again.
function steps.posted()
  local now, board = clock(false), G .. 'board:' .. A.board
  local current = call('HGET', board, 'revision') or '0'
  local words = current ~= A.known and call('HGET', board, 'words') or ''
  return { current, words, I(now) }
end

return answer(function()
  if A.event or A.events then room() end
  return steps[A.step]()
end)
