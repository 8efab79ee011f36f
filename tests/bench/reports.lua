-- What phones send: each request is of one reporter, with that reporter's token, and every report has a moment of its own.
-- Arguments, name=value: see Load::arguments in wrk.rs.
--
-- All that a request needs and that does not change is made once, so that the generator takes little of the processor
-- that it shares with the server.
local setting = {}
local heads, places, milliseconds = {}, {}, {}
local sent = 0
local ending = '"}'

-- Of ten requests one calls off what was reported 1,003 requests before, and one repeats what was sent 1,006 before:
-- long enough for the first to be answered, whatever its reporter.
local CALLED_OFF, REPEATED = 1003, 1006

local first, size, cycle, mixed, place_count

local function read_heads()
  local path = size == 1 and "/api/incidents/sync" or "/api/incidents/sync/batch"
  local closing = setting.connection == "new" and "Connection: close\r\n" or ""
  for token in io.lines(setting.tokens) do
    heads[#heads + 1] = "POST " .. path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n" .. closing
      .. "Authorization: Bearer " .. token .. "\r\nContent-Type: application/json\r\nContent-Length: "
    if #heads == tonumber(setting.reporters) then return end
  end
end

function init(arguments)
  for _, argument in ipairs(arguments) do
    local name, value = argument:match("^(%w+)=(.*)$")
    if name then setting[name] = value end
  end
  if setting.what == "health" then
    local asked = wrk.format("GET", "/healthz")
    request = function() return asked end
    return
  end
  first, size = tonumber(setting.first), tonumber(setting.payloads)
  cycle, mixed = tonumber(setting.cycle), setting.mixed == "yes"
  read_heads()
  local latitude = setting.what == "refused" and "91.8902" or "41.8902"
  place_count = tonumber(setting.places)
  for place = 0, place_count - 1 do
    places[place] = '{"locationId":"location-' .. place .. '","roomNumber":"12B","gpsCoordinates":{"type":"Point",'
      .. '"coordinates":[12.4924,' .. latitude .. ']},"isAnonymous":false,"createdAt":"'
  end
  for ms = 0, 999 do
    milliseconds[ms] = string.format(".%03dZ", ms)
  end
end

local second, second_text = -1, ""

local function moment(ms)
  local whole = math.floor(ms / 1000)
  if whole ~= second then
    second, second_text = whole, os.date("!%Y-%m-%dT%H:%M:%S", whole)
  end
  return second_text .. milliseconds[ms - whole * 1000]
end

-- Which request's reports this one is about, and how its payloads end.
local function about(request)
  if not mixed then return request, ending end
  local kind = request % 10
  if kind == 3 then
    return math.max(request - CALLED_OFF, 0), '","cancellationReason":"false alarm"}'
  elseif kind == 7 and request > REPEATED then
    return request - REPEATED, ending
  end
  return request, ending
end

local function payload(report, last)
  return places[report * 104729 % place_count] .. moment(first + report) .. last
end

function request()
  local subject, last = about(sent)
  sent = sent + 1
  if cycle > 0 then subject = subject % cycle end
  local body
  if size == 1 then
    body = payload(subject, last)
  else
    local payloads = {}
    for i = 1, size do
      payloads[i] = payload(subject * size + i - 1, last)
    end
    body = '{"incidents":[' .. table.concat(payloads, ",") .. "]}"
  end
  return heads[subject * 7919 % #heads + 1] .. #body .. "\r\n\r\n" .. body
end
