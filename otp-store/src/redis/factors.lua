-- Authenticators, a JSON text each, and recovery codes. An owner's have no time to live.
local steps = {}

local function read(text)
  if not text then return nil end
  local f = decode(text)
  if type(f.last) ~= 'string' or not string.find(f.last, '^%d*$') then fail('corrupt') end
  if type(f.name) ~= 'string' or type(f.confirmed_at) ~= 'string' then fail('corrupt') end
  return f
end

local function put(f)
  call('HSET', A.factors, f.id, cjson.encode(f))
end

-- Steps are longer than a double is exact: they are compared as decimal texts.
local function above(one, other)
  if #one ~= #other then return #one > #other end
  return one > other
end

-- Answers why nothing was done, after the record of it; an empty text where it was.
local function told(now, why)
  audit(A.event, now, why and 'refused', why)
  return why or ''
end

local function give_back()
  if call('EXISTS', A.budget) == 0 then return end
  local b = load_budget(A.budget)
  succeed(b, lane_of(A.lane))
  save_budget(b)
end

local function has_no_place(same)
  if same then return same.confirmed_at ~= '' and 'factor_name_taken' end
  return call('HLEN', A.factors) >= A.most and 'too_many_factors'
end

function steps.enrol(now)
  local f, same, active = A.factor, nil, false
  for _, text in ipairs(call('HVALS', A.factors)) do
    local known = read(text)
    if known.name == f.name or known.id == f.id then same = known end
    active = active or known.confirmed_at ~= ''
  end
  local unshown = active and A.shown == 'no_factor' and 'stale_proof'
  local why = unshown or has_no_place(same) or nil
  if not why then
    if same then call('HDEL', A.factors, same.id) end
    f.created_at = I(now)
    put(f)
  end
  return { told(now, why) }
end

local function refusal(f)
  if not f then return 'unknown_factor' end
  if f.last ~= '' and not above(A.to, f.last) then return 'used_code' end
  local state = f.confirmed_at == '' and 'pending' or 'active'
  if state ~= A.from then return 'unknown_factor' end
end

-- Keeps how a try answers when it is repeated, for as long as it does.
local function keep_try()
  if A.accepted ~= '' then call('SET', A.tried, A.accepted, 'PX', A.answers_for) end
end

local function has_active()
  for _, text in ipairs(call('HVALS', A.factors)) do
    if read(text).confirmed_at ~= '' then return true end
  end
end

-- The first confirmation takes away whatever else was begun before it.
local function begin_anew()
  if has_active() then return end
  call('DEL', A.factors, A.recovery, A.tried)
end

function steps.advance(now)
  local f = read(call('HGET', A.factors, A.id))
  local why = refusal(f)
  if not why then
    begin_anew()
    if f.confirmed_at == '' then f.confirmed_at = I(now) end
    f.last, f.used_at = A.to, I(now)
    if A.resealed ~= '' then f.secret = A.resealed end
    give_back()
    keep_try()
    put(f)
  end
  return { told(now, why) }
end

-- The recovery codes go with the last active one.
function steps.remove(now)
  local f = read(call('HGET', A.factors, A.id))
  if not f then return { told(now, 'unknown_factor') } end
  call('HDEL', A.factors, A.id)
  if f.confirmed_at == '' or has_active() then return { told(now) } end
  call('DEL', A.recovery, A.tried)
  A.event.reason = 'last_factor'
  told(now)
  return { 'last_factor' }
end

function steps.rename(now)
  local f, why = read(call('HGET', A.factors, A.id)), nil
  if not f then why = 'unknown_factor' end
  for _, text in ipairs(f and call('HVALS', A.factors) or {}) do
    local other = read(text)
    if other.name == A.name and other.id ~= A.id then
      if other.confirmed_at ~= '' then why = 'factor_name_taken' else call('HDEL', A.factors, other.id) end
    end
  end
  if not why then
    f.name = A.name
    put(f)
  end
  return { told(now, why) }
end

function steps.put_recovery(now)
  call('DEL', A.recovery)
  for selector, digest in pairs(A.codes) do call('HSET', A.recovery, selector, digest) end
  told(now)
  return {}
end

function steps.use_recovery(now)
  local here = call('HGET', A.recovery, A.selector) == A.digest
  if here then
    give_back()
    keep_try()
    call('HDEL', A.recovery, A.selector)
  end
  return { told(now, not here and 'used_code' or nil), I(call('HLEN', A.recovery)) }
end

function steps.reset(now)
  local count = call('HLEN', A.factors) + call('HLEN', A.recovery)
  call('DEL', A.factors, A.recovery, A.tried)
  told(now)
  return { I(count) }
end

-- What is read needs no time.
local looks = {}

function looks.list()
  local list = {}
  for i, text in ipairs(call('HVALS', A.factors)) do list[i] = flat(read(text)) end
  return { list }
end

function looks.recovery()
  return { call('HGET', A.recovery, A.selector) or '' }
end

function looks.accepted()
  return { call('GET', A.tried) or '' }
end

function looks.left()
  return { I(call('HLEN', A.recovery)) }
end

return answer(function()
  if looks[A.step] then return looks[A.step]() end
  room()
  return steps[A.step](clock(true))
end)
