-- Reports incidents of one reporter, each at a moment of its own.
-- Arguments: token, payloads a request (1 goes to the single endpoint), first moment in milliseconds, and after
-- how many moments to begin again (0: never, so that every request is a new incident).
local size, first, cycle
local reported = 0
local fixed = '{"locationId":"ward-7","roomNumber":"12B","gpsCoordinates":{"type":"Point",'
  .. '"coordinates":[12.4924,41.8902]},"isAnonymous":false,"createdAt":"'

function init(arguments)
  size, first, cycle = tonumber(arguments[2]), tonumber(arguments[3]), tonumber(arguments[4])
  wrk.method = "POST"
  wrk.path = size == 1 and "/api/incidents/sync" or "/api/incidents/sync/batch"
  wrk.headers["Authorization"] = "Bearer " .. arguments[1]
  wrk.headers["Content-Type"] = "application/json"
end

local function payload()
  local moment = first + (cycle > 0 and reported % cycle or reported)
  reported = reported + 1
  local second = os.date("!%Y-%m-%dT%H:%M:%S", math.floor(moment / 1000))
  return fixed .. second .. string.format('.%03dZ"}', moment % 1000)
end

function request()
  if size == 1 then
    return wrk.format(nil, nil, nil, payload())
  end
  local payloads = {}
  for i = 1, size do
    payloads[i] = payload()
  end
  return wrk.format(nil, nil, nil, '{"incidents":[' .. table.concat(payloads, ",") .. "]}")
end
