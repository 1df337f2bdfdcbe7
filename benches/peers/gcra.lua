-- One hit on KEYS[1] under `burst` hits in `per` microseconds, by the server's clock.
-- Answers: admitted, how many are left, how many microseconds to wait.
local burst, per = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step = per / burst
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = due + step - per - now
if wait > 0 then
    return {0, 0, math.ceil(wait)}
end
due = due + step
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
return {1, math.floor((now + per - due) / step), 0}
