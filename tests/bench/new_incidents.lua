-- Every request reports a new incident: the threads count through moments of their own.
-- Arguments: token, payloads per request (1 posts to the single endpoint), first moment in milliseconds.
local next_thread = 0

function setup(thread)
  thread:set("thread_number", next_thread)
  next_thread = next_thread + 1
end

local moment, size, head, tail

function init(arguments)
  size = tonumber(arguments[2])
  moment = tonumber(arguments[3]) + thread_number * 100000000
  wrk.method = "POST"
  wrk.path = size == 1 and "/api/incidents/sync" or "/api/incidents/sync/batch"
  wrk.headers["Authorization"] = "Bearer " .. arguments[1]
  wrk.headers["Content-Type"] = "application/json"
  head = '{"locationId":"ward-7","roomNumber":"12B","gpsCoordinates":{"type":"Point","coordinates":[12.4924,41.8902]},"isAnonymous":false,"createdAt":"'
end

local function payload()
  moment = moment + 1
  local seconds = math.floor(moment / 1000)
  return head .. os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. string.format(".%03dZ", moment % 1000) .. '"}'
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
