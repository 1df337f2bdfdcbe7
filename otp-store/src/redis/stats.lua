-- What is counted: a hash a tenant, name and minute or hour, with a time to live.
local steps = {}

local function begin(at, length)
  return at - at % length
end

local function board(grain, from, name, tenant)
  return P .. 't:' .. grain .. ':' .. I(from) .. ':' .. name .. ':' .. tenant
end

function steps.count(now)
  local touched = {}
  for _, c in ipairs(A.counts) do
    for _, g in ipairs(A.grains) do
      local key = board(g[1], begin(now, g[2]), c[1], c[2])
      call('HINCRBY', key, c[3], I(c[4]))
      touched[key] = g[3]
    end
  end
  for key, life in pairs(touched) do
    if call('PTTL', key) < 0 then call('PEXPIRE', key, I(life)) end
  end
  return {}
end

-- Calls back with the beginning of each minute or hour of the window.
local function each_of_window(now, visit)
  for from = begin(now - A.back, A.length), now, A.length do visit(from) end
end

-- The keys come by board, each with its values; their sums come in the same order.
function steps.sums(now)
  local sums = {}
  for _, b in ipairs(A.boards) do
    local totals = {}
    for i = 1, #b.values do totals[i] = 0 end
    each_of_window(now, function(from)
      local counts = call('HMGET', board(A.grain, from, b.name, b.tenant), unpack(b.values))
      for i, n in ipairs(counts) do
        if n then totals[i] = totals[i] + time(n) end
      end
    end)
    for _, total in ipairs(totals) do sums[#sums + 1] = I(total) end
  end
  return { sums }
end

function steps.top(now)
  local totals, listed = {}, {}
  each_of_window(now, function(from)
    local counts = call('HGETALL', board(A.grain, from, A.name, A.tenant))
    for i = 1, #counts, 2 do
      if counts[i] ~= '' then
        if not totals[counts[i]] then listed[#listed + 1] = counts[i] end
        totals[counts[i]] = (totals[counts[i]] or 0) + time(counts[i + 1])
      end
    end
  end)
  table.sort(listed, function(one, two)
    if totals[one] ~= totals[two] then return totals[one] > totals[two] end
    return one < two
  end)
  local top = {}
  for i = 1, math.min(#listed, A.limit) do
    top[i] = { listed[i], I(totals[listed[i]]) }
  end
  return { top }
end

return answer(function()
  return steps[A.step](clock(A.step == 'count'))
end)
