-- What hangs on keys, counted while going through the keys of a node.
local U = { found = {} }

function U.add(key, hold, till)
  local name = hold .. ':' .. key
  local one = U.found[name] or { key = key, hold = hold, count = 0, till = -1 }
  one.count, one.till = one.count + 1, math.max(one.till, till or -1)
  U.found[name] = one
end

function U.begins(key, with)
  return string.sub(key, 1, #with) == with
end

-- Goes through some of the keys, and answers where to go on and what was found.
function U.page(look, now)
  local page, list = call('SCAN', A.cursor, 'COUNT', A.limit), {}
  for _, key in ipairs(page[2]) do look(key, now) end
  for _, one in pairs(U.found) do
    list[#list + 1] = {
      'key', one.key, 'hold', one.hold, 'count', I(one.count),
      'until', one.till < 0 and '' or I(one.till),
    }
  end
  return { page[1], list }
end
