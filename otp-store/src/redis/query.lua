-- Live challenges by what an operator knows of them.
local BATCH = 500
local PARTS = { 'tenant', 'id', 'subject', 'destination_key', 'channel', 'key_id', 'address' }

local function fits_query(c, q, now)
  if not is_live(c, now) then return false end
  for _, part in ipairs(PARTS) do
    if q[part] and q[part] ~= c[part] then return false end
  end
  local created = time(c.created_at)
  if q.issued_from and created < time(q.issued_from) then return false end
  return not (q.issued_until and created >= time(q.issued_until))
end

-- Walks what may be meant, newest first, until the limit is reached.
local function meant(q, limit, now)
  local found = {}
  local function take(keys)
    for _, key in ipairs(keys) do
      local c = #found < limit and load_challenge(key)
      if c and fits_query(c, q, now) then found[#found + 1] = c end
    end
  end
  if A.key then
    take({ A.key })
  elseif A.owner then
    limit = math.huge
    take(call('ZRANGEBYSCORE', A.owner, '(' .. I(now), '+inf'))
  else
    local from = 0
    repeat
      local keys = call('ZREVRANGE', P .. 'live', from, from + BATCH - 1)
      take(keys)
      from = from + BATCH
    until #keys < BATCH or #found >= limit
  end
  return found
end

local steps = {}

function steps.find(now)
  local c = load_challenge(A.key)
  return { I(now), c and flat(c) or {} }
end

function steps.list(now)
  local list = {}
  for i, c in ipairs(meant(A.query, A.limit, now)) do list[i] = flat(c) end
  return { I(now), list }
end

-- One batch of what an open query may mean: whatever is listed before the first and after the last
-- batch is in one of them.
local function batch(q, now)
  local found = {}
  local page = call('ZSCAN', P .. 'live', A.cursor, 'COUNT', BATCH)
  for i = 1, #page[2], 2 do
    local c = load_challenge(page[2][i])
    if c and fits_query(c, q, now) then found[#found + 1] = c end
  end
  return found, page[1]
end

-- The last batch leaves the record, of all of them.
function steps.revoke(now)
  local found, cursor
  if A.cursor then
    found, cursor = batch(A.query, now)
  else
    found, cursor = meant(A.query, math.huge, now), '0'
  end
  for _, c in ipairs(found) do end_challenge(c, 'revoked', now) end
  if cursor == '0' and A.event then
    audit(A.event, now, nil, A.why .. ':' .. I(A.ended + #found))
  end
  return { I(now), I(#found), cursor }
end

return answer(function()
  if A.event then room() end
  return steps[A.step](clock(A.step == 'revoke'))
end)
