-- What is counted: a hash a tenant, name and sheet of minutes or hours, with a time to live. A sum
-- reads a sheet at once, so that an hour's costs one or two commands and a week's eight.
local steps = {}
local sheets = { minute = 7200000, hour = 86400000 }
-- The fields of one command: Lua hands a function no more than some thousands.
local AT_ONCE = 4000

local function begin(at, length)
  return at - at % length
end

local function board(grain, at, name, tenant)
  return P .. 't:' .. grain .. ':' .. I(begin(at, sheets[grain])) .. ':' .. name .. ':' .. tenant
end

local function field(from, value)
  return I(from) .. ':' .. value
end

function steps.count(now)
  local touched = {}
  for _, c in ipairs(A.counts) do
    for _, g in ipairs(A.grains) do
      local key = board(g[1], now, c[1], c[2])
      call('HINCRBY', key, field(begin(now, g[2]), c[3]), I(c[4]))
      touched[key] = g[3] + sheets[g[1]]
    end
  end
  for key, life in pairs(touched) do
    if call('PTTL', key) < 0 then call('PEXPIRE', key, I(life)) end
  end
  return {}
end

-- Calls back with each sheet of the window, and the first and the last moment of the window on it.
local function each_sheet(now, visit)
  local first, sheet = begin(now - A.back, A.length), sheets[A.grain]
  for from = begin(first, sheet), now, sheet do
    visit(from, math.max(first, from), math.min(now, from + sheet - 1))
  end
end

-- Adds what the fields hold to the totals that they belong to.
local function add(totals, key, fields, places)
  for i, n in ipairs(call('HMGET', key, unpack(fields))) do
    if n then totals[places[i]] = totals[places[i]] + time(n) end
  end
end

-- The keys come by board, each with its values; their sums come in the same order.
function steps.sums(now)
  local sums = {}
  for _, b in ipairs(A.boards) do
    local totals = {}
    for i = 1, #b.values do totals[i] = 0 end
    each_sheet(now, function(at, first, last)
      local key, fields, places = board(A.grain, at, b.name, b.tenant), {}, {}
      for from = first, last, A.length do
        for i, value in ipairs(b.values) do
          fields[#fields + 1], places[#places + 1] = field(from, value), i
          if #fields == AT_ONCE then
            add(totals, key, fields, places)
            fields, places = {}, {}
          end
        end
      end
      if #fields > 0 then add(totals, key, fields, places) end
    end)
    for _, total in ipairs(totals) do sums[#sums + 1] = I(total) end
  end
  return { sums }
end

function steps.top(now)
  local totals, listed = {}, {}
  each_sheet(now, function(at, first, last)
    local counts = call('HGETALL', board(A.grain, at, A.name, A.tenant))
    for i = 1, #counts, 2 do
      local from, value = string.match(counts[i], '^(%-?%d+):(.*)$')
      from = time(from)
      if value ~= '' and from >= first and from <= last then
        if not totals[value] then listed[#listed + 1] = value end
        totals[value] = (totals[value] or 0) + time(counts[i + 1])
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
