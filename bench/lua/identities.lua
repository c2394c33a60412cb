-- Requests of identities, each made anew: ... -- PATH SEED KIND
-- KIND: known (as stored), changing (other traits each time), new (never seen before), transient (as
-- changing, nothing stored), anonymous (transient and nameless), ofrep (the same in an OFREP context),
-- get (by identifier alone).

local PEOPLE = 1000
local PLANS = {"free", "pro", "enterprise"}
local COUNTRIES = {"NL", "FR", "US", "DE"}
local TRAITS = '[{"trait_key":"plan","trait_value":"%s"},{"trait_key":"country","trait_value":"%s"},'
   .. '{"trait_key":"age","trait_value":%d},{"trait_key":"newsletter","trait_value":%s},'
   .. '{"trait_key":"visits","trait_value":%d}]'

local threads = 0

function setup(thread)
   thread:set("thread_number", threads)
   threads = threads + 1
end

local function traits(who, visits)
   return TRAITS:format(
      PLANS[who % 3 + 1], COUNTRIES[who % 4 + 1], 18 + who % 60, tostring(who % 2 == 0), visits)
end

local path, seed, sent, name = "", 0, 0, ""
local bodies = {}

function bodies.known(who)
   return ('{"identifier":"known-%d","traits":%s}'):format(who, traits(who, 0))
end

function bodies.changing(who)
   return ('{"identifier":"changing-%d","traits":%s}'):format(who, traits(math.random(60), seed * 100000 + sent))
end

function bodies.new(who)
   return ('{"identifier":"new-%s-%d","traits":%s}'):format(name, sent, traits(who, sent))
end

function bodies.transient(who)
   return ('{"identifier":"known-%d","transient":true,"traits":%s}'):format(who, traits(math.random(60), sent))
end

function bodies.anonymous(who)
   return ('{"transient":true,"traits":%s}'):format(traits(who, sent))
end

function bodies.ofrep(who)
   return ('{"context":{"targetingKey":"known-%d","plan":"%s","country":"%s","age":%d,"newsletter":%s,"visits":%d}}')
      :format(who, PLANS[who % 3 + 1], COUNTRIES[who % 4 + 1], 18 + who % 60, tostring(who % 2 == 0), sent)
end

function init(args)
   path, seed = args[1], tonumber(args[2])
   name = ("%d-%d"):format(seed, thread_number)
   math.randomseed(seed * 97 + thread_number)
   wrk.headers["Content-Type"] = "application/json"
   local kind = args[3]
   if kind == "get" then
      local prefix = path .. "?identifier=known-"
      request = function() return wrk.format("GET", prefix .. math.random(0, PEOPLE - 1)) end
   else
      local body = bodies[kind]
      request = function()
         sent = sent + 1
         return wrk.format("POST", path, nil, body(math.random(0, PEOPLE - 1)))
      end
   end
end
