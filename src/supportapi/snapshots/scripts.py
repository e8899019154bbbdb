"""The steps that must not be seen halfway: Lua by EVAL, for any server from Redis 6.2.

The scripts touch keys that are not in KEYS: all of ours share one hash tag, so they share one slot.
"""

from __future__ import annotations

from typing import Final

# KEYS: current, history, events, source index, index of the version.   (`activate` gives the same index twice)
# ARGV: version, sequence, dataset hash, versions kept, grace seconds, events kept, snapshot prefix, index suffix,
#       format, difference from the version before, the rollback that it is (empty: none)
# Answers {outcome, detail}: refused, incomplete, unchanged, published.
FLIP: Final = """
local version, sequence = ARGV[1], tonumber(ARGV[2])
local source, index = KEYS[4], KEYS[5]

local function keys_of(name)
  local keys = {}
  for _, value in ipairs(redis.call('HVALS', name)) do keys[#keys + 1] = string.match(value, '^%S+ (.+)$') end
  return keys
end

local function lost(name)
  local parts = redis.call('HGETALL', name)
  if #parts == 0 then return '(all of them)' end
  for i = 1, #parts, 2 do
    if redis.call('EXISTS', string.match(parts[i + 1], '^%S+ (.+)$')) == 0 then return parts[i] end
  end
  return nil
end

local function note_rollback()
  if ARGV[11] == '' then redis.call('HDEL', KEYS[1], 'rollback')
  else redis.call('HSET', KEYS[1], 'rollback', ARGV[11]) end
end

local held = redis.call('HMGET', KEYS[1], 'version', 'sequence')
local is_current = held[1] == version
if held[2] and sequence <= tonumber(held[2]) then
  if is_current then return {'unchanged', held[2]} end
  return {'refused', held[2]}
end
if is_current and not lost(index) then
  redis.call('HSET', KEYS[1], 'sequence', sequence)
  redis.call('ZADD', KEYS[2], sequence, version)
  note_rollback()
  return {'unchanged', tostring(sequence)}
end
local missing = lost(source)
if missing then return {'incomplete', missing} end

local parts = keys_of(source)
for _, key in ipairs(parts) do redis.call('PERSIST', key) end
local replaced = {}
if source ~= index then
  replaced = keys_of(index)
  redis.call('RENAME', source, index)
end
redis.call('PERSIST', index)

local time = redis.call('TIME')
local at = string.format('%d%06d', time[1], time[2])
redis.call('HSET', KEYS[1], 'version', version, 'sequence', sequence, 'dataset_hash', ARGV[3],
  'published_at', at, 'parts', #parts, 'format', ARGV[9])
note_rollback()
redis.call('ZADD', KEYS[2], sequence, version)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*', 'kind', 'published', 'version', version,
  'sequence', sequence, 'dataset_hash', ARGV[3], 'published_at', at, 'difference', ARGV[10])

local kept = {}
for _, name in ipairs(redis.call('ZREVRANGE', KEYS[2], 0, ARGV[4] - 1)) do
  for _, key in ipairs(keys_of(ARGV[7] .. name .. ARGV[8])) do kept[key] = true end
end
local function retire(keys)
  for _, key in ipairs(keys) do
    if not kept[key] then redis.call('EXPIRE', key, ARGV[5]) end
  end
end
retire(replaced)
for _, name in ipairs(redis.call('ZREVRANGE', KEYS[2], ARGV[4], -1)) do
  retire(keys_of(ARGV[7] .. name .. ARGV[8]))
  redis.call('EXPIRE', ARGV[7] .. name .. ARGV[8], ARGV[5])
  redis.call('ZREM', KEYS[2], name)
end
return {'published', tostring(sequence)}
"""

# KEYS: sequence, current. The next number, above everything published even if the counter was lost.
NEXT_SEQUENCE: Final = """
local next = redis.call('INCR', KEYS[1])
local held = tonumber(redis.call('HGET', KEYS[2], 'sequence') or '0')
if next <= held then
  next = held + 1
  redis.call('SET', KEYS[1], next)
end
return next
"""

# KEYS: one shared part. ARGV: seconds, value. A part that a published version holds stays without an end.
KEEP_STATE: Final = """
local held = redis.call('TTL', KEYS[1]) == -1
redis.call('SET', KEYS[1], ARGV[2])
if not held then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return 1
"""

# KEYS: shared parts. ARGV: seconds. Lengthens what would end sooner, so that a build does not lose it on the way.
TOUCH: Final = """
local found = {}
for i, key in ipairs(KEYS) do
  local left = redis.call('TTL', key)
  found[i] = left == -2 and 0 or 1
  if left >= 0 and left < tonumber(ARGV[1]) then redis.call('EXPIRE', key, ARGV[1]) end
end
return found
"""
