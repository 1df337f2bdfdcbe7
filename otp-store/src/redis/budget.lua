-- The guess budget, as `otp_core::quota::Budget` has it. It has no time to live.

local LANES = { public = 1, known_device = 2 }
local LETTERS = { p = 1, k = 2 }

local function lane_of(name)
  return LANES[name] or fail('corrupt')
end

local function load_budget(key)
  local b = { key = key, guesses = {}, run = 0, strikes = { 0, 0 }, paused = { false, false } }
  local h = hash(call('HGETALL', key))
  if not next(h) then return b end
  b.run = count(h.run)
  b.strikes = { count(h.strikes_p), count(h.strikes_k) }
  b.paused = { h.paused_p ~= '' and time(h.paused_p), h.paused_k ~= '' and time(h.paused_k) }
  if h.disabled ~= '0' and h.disabled ~= '1' then fail('corrupt') end
  b.disabled = h.disabled == '1'
  if string.gsub(h.guesses or '?', '%-?%d+[pk]', '') ~= '' then fail('corrupt') end
  for at, lane in string.gmatch(h.guesses, '(%-?%d+)([pk])') do
    b.guesses[#b.guesses + 1] = { tonumber(at), LETTERS[lane] }
  end
  return b
end

local function save_budget(b)
  local list = {}
  for i, guess in ipairs(b.guesses) do list[i] = I(guess[1]) .. (guess[2] == 1 and 'p' or 'k') end
  call('HSET', b.key, 'guesses', table.concat(list), 'run', I(b.run),
    'strikes_p', I(b.strikes[1]), 'strikes_k', I(b.strikes[2]),
    'paused_p', b.paused[1] and I(b.paused[1]) or '', 'paused_k', b.paused[2] and I(b.paused[2]) or '',
    'disabled', b.disabled and '1' or '0')
end

local function frees_at(b, window, lane, now)
  local max, since, held = window[lane], now - window[3], {}
  for _, guess in ipairs(b.guesses) do
    if guess[2] == lane and guess[1] > since then held[#held + 1] = guess[1] end
  end
  local over = #held - max
  if over < 0 then return nil end
  return (held[over + 1] or held[#held] or now) + window[3]
end

-- Answers an empty text where a guess is taken.
local function look(b, rules, lane, now)
  if b.disabled or b.run >= rules.run[lane] then return 'disabled' end
  local till = b.paused[lane] and now < b.paused[lane] and b.paused[lane]
  for _, window in ipairs(rules.windows) do
    local frees = frees_at(b, window, lane, now)
    if frees and (not till or frees > till) then till = frees end
  end
  return till and 'locked:' .. I(till) or ''
end

local function reserve(b, rules, lane, now)
  local kept = {}
  for _, guess in ipairs(b.guesses) do
    if guess[1] > now - rules.memory then kept[#kept + 1] = guess end
  end
  kept[#kept + 1] = { now, lane }
  b.guesses = kept
  b.run = math.min(b.run + 1, 4294967295)
end

local function succeed(b, lane)
  for i = #b.guesses, 1, -1 do
    if b.guesses[i][2] == lane then
      table.remove(b.guesses, i)
      break
    end
  end
  b.run, b.strikes[lane], b.paused[lane] = 0, 0, false
end

local function strike(b, rules, lane, now)
  b.strikes[lane] = math.min(b.strikes[lane] + 1, 4294967295)
  local pauses = rules.pauses
  b.paused[lane] = now + (pauses[b.strikes[lane]] or pauses[#pauses])
end
