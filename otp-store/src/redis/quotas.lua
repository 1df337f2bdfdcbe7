-- Quotas by themselves.
local steps = {}

function steps.peek(now)
  look_quotas(A.quotas, now)
  return { readings(A.quotas) }
end

function steps.charge(now)
  if not look_quotas(A.quotas, now) then charge_quotas(A.quotas, now) end
  return { readings(A.quotas) }
end

return answer(function()
  return steps[A.step](clock(A.step == 'charge'))
end)
