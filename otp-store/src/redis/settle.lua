-- What comes of a challenge after it was admitted: replaced, won or lost.
local steps = {}

function steps.reissue(now)
  local c = load_challenge(A.key)
  if not c then fail('invalid') end
  put_challenge(c, hash(A.fields))
  M.intend(A.delivery, now)
  audit(A.event, now)
  return {}
end

function steps.consume(now)
  local c = load_challenge(A.key)
  local b = c and load_budget(c.budget)
  local outcome = c and consume(c, A.digest, A.by, now) or 'unknown_challenge'
  if outcome == 'won' then
    succeed(b, lane_of(c.lane))
    save_budget(b)
    audit(A.event, now)
  elseif outcome == 'won_before' then
    audit(A.event, now, 'success', 'repeated')
  else
    if outcome == 'expired' and is_of_another_era(c) then
      put_challenge(c, { expires_at = I(math.min(now, time(c.expires_at))) })
      unlist(c, now)
    end
    audit(A.event, now, 'refused', outcome)
  end
  return { outcome }
end

function steps.reject(now)
  local c = load_challenge(A.key)
  local b = c and load_budget(c.budget)
  if c and refuse(c, A.by, now) then
    strike(b, A.rules, lane_of(c.lane), now)
    save_budget(b)
  end
  audit(A.event, now)
  return {}
end

return answer(function()
  room()
  return steps[A.step](clock(true))
end)
