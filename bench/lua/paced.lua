-- The same GET at a pace, however quick the answers are: ... -- PATH SEED MILLISECONDS
-- Each connection waits MILLISECONDS on average between an answer and its next request.

local threads = 0

function setup(thread)
   thread:set("thread_number", threads)
   threads = threads + 1
end

function init(args)
   wrk.path = args[1]
   math.randomseed(tonumber(args[2]) * 97 + thread_number)
   local longest = 2 * tonumber(args[3])
   local get = wrk.format()
   request = function() return get end
   delay = function() return math.random(0, longest) end
end
