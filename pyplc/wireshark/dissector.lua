-- V2G messages for Wireshark: V2GTP, SECC discovery, every EXI message of DIN 70121, ISO 15118-2 and ISO 15118-20,
-- frames of the test adapter (HAL) and TLS secrets in UDP packets. Pure Lua 5.2 to 5.4, no library.
-- Written by pyplc from its declarations of messages; `pyplc wireshark install` writes it anew.

local TABLES = {} --@TABLES@
local NAMES, SIMPLE, COMPLEX, ROOTS, FIELDS = TABLES.names, TABLES.simple, TABLES.complex, TABLES.roots, TABLES.fields

local floor, byte = math.floor, string.byte
local POWER = { [0] = 1 }
for i = 1, 32 do POWER[i] = POWER[i - 1] * 2 end

-- EXI: bits ---------------------------------------------------------------------------------------------------------

local function bits(r, n)
    local pos, value = r.pos, 0
    if pos + n > r.size then error({ text = "the message ends too early" }) end
    r.pos = pos + n
    while n > 0 do
        local used = pos % 8
        local take = 8 - used
        if take > n then take = n end
        local octet = byte(r.data, (pos - used) / 8 + 1)
        value = value * POWER[take] + floor(octet / POWER[8 - used - take]) % POWER[take]
        pos, n = pos + take, n - take
    end
    return value
end

-- an unsigned integer: its groups of seven bits, least significant first, and its value where that is exact
local function unsigned(r)
    local groups, value = {}, 0
    for i = 1, 4096 do
        local octet = bits(r, 8)
        groups[i] = octet % 128
        if i <= 7 then value = value + (octet % 128) * 128 ^ (i - 1) end
        if octet < 128 then return floor(value), groups end
    end
    error({ text = "an integer that does not end" })
end

local function count(r, what)
    local value = unsigned(r)
    if value * 8 > r.size - r.pos + 16 then error({ text = what .. " is longer than the message" }) end
    return value
end

-- an integer of any size, `plus` (0 or 1) more, in decimal: digits of base 10,000,000, least significant first
local function decimal(groups, plus)
    local digits = { 0 }
    for i = #groups, 1, -1 do
        local carry = groups[i] + (i == 1 and plus or 0)
        for k = 1, #digits do
            local part = digits[k] * 128 + carry
            digits[k] = part % 10000000
            carry = floor(part / 10000000)
        end
        if carry > 0 then digits[#digits + 1] = carry end
    end
    local text = string.format("%d", digits[#digits])
    for k = #digits - 1, 1, -1 do text = text .. string.format("%07d", digits[k]) end
    return text
end

local function utf8_of(point)
    if point < 0x80 then return string.char(point) end
    if point < 0x800 then return string.char(0xC0 + floor(point / 64), 0x80 + point % 64) end
    if point < 0x10000 then
        return string.char(0xE0 + floor(point / 4096), 0x80 + floor(point / 64) % 64, 0x80 + point % 64)
    end
    return string.char(0xF0 + floor(point / 262144) % 8, 0x80 + floor(point / 4096) % 64, 0x80 + floor(point / 64) % 64,
        0x80 + point % 64)
end

local function text(r, name)
    local size = count(r, name)
    if size < 2 then -- a value that was there before: of this name, or of any
        local known = size == 0 and (r.known[name] or {}) or r.all
        local width = 0
        while POWER[width] < #known do width = width + 1 end
        return known[bits(r, width) + 1] or error({ text = name .. " refers to a text that was not there" })
    end
    local parts = {}
    for i = 1, size - 2 do parts[i] = utf8_of(unsigned(r)) end
    local value = table.concat(parts)
    if value ~= "" then
        r.known[name] = r.known[name] or {}
        table.insert(r.known[name], value)
        table.insert(r.all, value)
    end
    return value
end

-- one simple value: a number, a text or a boolean; and the groups of a large integer
local function simple(r, kind, name)
    local what = kind[1]
    if what == "b" then return bits(r, 1) == 1 end
    if what == "e" then
        local index = bits(r, kind[2])
        return kind[3][index + 1] or string.format("%d", index)
    end
    if what == "n" then return bits(r, kind[2]) + kind[3] end
    if what == "u" then return unsigned(r) end
    if what == "i" then
        local negative = bits(r, 1) == 1
        local value, groups = unsigned(r)
        if negative then return -value - 1, groups, true end
        return value, groups
    end
    if what == "s" then return text(r, name) end
    local parts = {}
    for i = 1, count(r, name) do parts[i] = string.format("%02X", bits(r, 8)) end
    return table.concat(parts)
end

-- EXI: grammars. A continuation is {particle, rest}; a particle is {low, high, term, payload}, high -1 is unbounded -----

local EMPTY = {}

local function chain(particles, rest)
    for i = #particles, 1, -1 do rest = { particles[i], rest } end
    return rest
end

-- what stands behind one more of this particle
local function again(cont)
    if not cont.again then
        local low, high = cont[1][1], cont[1][2]
        if high == 1 then
            cont.again = cont[2]
        elseif high < 0 and low == 0 then
            cont.again = cont
        else
            cont.again = { { math.max(low - 1, 0), high < 0 and high or high - 1, cont[1][3], cont[1][4] }, cont[2] }
        end
    end
    return cont.again
end

local function expand(cont)
    local events, wild = {}, nil
    while cont[1] do
        local particle = cont[1]
        local behind = again(cont)
        if particle[3] == "e" then
            for _, event in ipairs(particle[4]) do
                if event[2] == 0 then
                    wild = wild or { event, behind }
                else
                    events[#events + 1] = { event, behind }
                end
            end
        else
            local sequences = particle[3] == "c" and particle[4] or { particle[4] }
            for _, sequence in ipairs(sequences) do
                for _, found in ipairs((expand(chain(sequence, behind)))) do events[#events + 1] = found end
            end
        end
        if particle[1] > 0 then
            events[#events + 1] = wild
            return events, false
        end
        cont = cont[2]
    end
    events[#events + 1] = wild
    return events, true
end

local function width_of(events)
    local n, width = events, 0
    while n > 0 do n, width = floor(n / 2), width + 1 end
    return width
end

-- the events of a state: {what, event, state behind}
local function state_of(type, done, cont)
    local cache = type.states[done] or {}
    type.states[done] = cache
    if cache[cont] then return cache[cont] end
    local state = {}
    cache[cont] = state
    for i = done + 1, #type.attributes do
        state[#state + 1] = { "AT", type.attributes[i], i, cont }
        if type.attributes[i][3] == 1 then break end
    end
    local last = state[#state]
    if not (last and last[2][3] == 1) then
        local after = #type.attributes
        if type.content then
            state[#state + 1] = cont == "end" and { "EE" } or { "CH", type.content, after, "end" }
        else
            local events, ends = expand(cont)
            for _, found in ipairs(events) do state[#state + 1] = { "SE", found[1], after, found[2] } end
            if ends then state[#state + 1] = { "EE" } end
            if type.mixed then state[#state + 1] = { "CH", nil, after, cont } end
        end
    end
    state.bits = width_of(#state)
    return state
end

local complex

local function leaf(r, name, kind, start)
    local value, groups, negative = simple(r, SIMPLE[kind], name)
    return { name = name, start = start, stop = r.pos, value = value, groups = groups, negative = negative }
end

local function element(r, event, depth)
    local name, kind, start = NAMES[event[1]], event[2], r.pos
    if kind > 0 then return complex(r, name, kind, depth + 1) end
    if bits(r, 1) == 1 then -- the other form of an empty value
        if bits(r, 3) ~= 0 then error({ text = name .. " has undeclared content" }) end
        return { name = name, start = start, stop = r.pos, value = "" }
    end
    local node = leaf(r, name, -kind, start)
    if bits(r, 1) == 1 then error({ text = "undeclared content behind " .. name }) end
    return node
end

function complex(r, name, number, depth)
    if depth > 64 then error({ text = "too deep" }) end
    local type = COMPLEX[number]
    if not type.states then
        type.states, type.start = {}, chain(type.particles, EMPTY)
    end
    local node = { name = name, start = r.pos, children = {}, physical = type.physical }
    local done, cont = 0, type.start
    while true do
        local state = state_of(type, done, cont)
        local code = bits(r, state.bits)
        local event = state[code + 1]
        if not event then
            if code == #state and type.content and cont ~= "end" and bits(r, 3) == 0 then break end
            error({ text = string.format("in %s: event %d of %d", name, code, #state) })
        end
        if event[1] == "EE" then break end
        local part = event[2]
        if not part or part[2] == 0 then error({ text = "in " .. name .. ": free content is not supported" }) end
        local child
        if event[1] == "SE" then
            child = element(r, part, depth)
        else
            child = leaf(r, event[1] == "AT" and NAMES[part[1]] or name, -part[2], r.pos)
        end
        node.children[#node.children + 1] = child
        done, cont = event[3], event[4]
    end
    node.stop = r.pos
    return node
end

-- the message in an EXI stream as a tree of nodes; an error is a table with `text` and `bit`
local function decode(schema, data)
    local r = { data = data, pos = 0, size = #data * 8, known = {}, all = {} }
    if data:sub(1, 4) == "$EXI" then r.pos = 32 end
    local good, result = pcall(function()
        if bits(r, 8) ~= 0x80 then error({ text = "no EXI stream without options" }) end
        local number = bits(r, ROOTS[schema].bits)
        local root = ROOTS[schema][number]
        if not root then error({ text = string.format("root element %d is of no message", number) }) end
        return complex(r, NAMES[root[1]], root[2], 0)
    end)
    if good then return result end
    return nil, type(result) == "table" and result.text or tostring(result), r.pos
end

local function find(node, name)
    for _, child in ipairs(node.children or {}) do
        if child.name == name then return child end
    end
end

local function message_name(root)
    local body = find(root, "Body")
    return body and body.children[1] and body.children[1].name or root.name
end

local function physical(node)
    local exponent, value = find(node, node.physical), find(node, "Value")
    if not exponent or not value then return nil end
    local unit = find(node, "Unit")
    local number = exponent.value >= 0 and value.value * 10 ^ exponent.value or value.value / 10 ^ -exponent.value
    return number, unit and unit.value
end

-- which schema, by payload type and first bytes
local function schema_of(kind, data)
    if TABLES.payload_types[kind] then return TABLES.payload_types[kind] end
    if kind ~= 0x8001 then return nil end
    local at = data:sub(1, 4) == "$EXI" and 6 or 2
    local second = byte(data, at) or 0
    if second == 0x9A then return "din" end
    if second == 0x98 then return "iso2" end
    return second < 0x80 and "app" or nil
end

if not Proto then return { decode = decode, message_name = message_name, physical = physical, schema_of = schema_of,
    decimal = decimal } end

-- Wireshark: V2GTP ----------------------------------------------------------------------------------------------------

local made, v2g = pcall(Proto, "v2g", "V2G Transport Protocol")
if not made then
    print("pyplc.lua: another plugin has the protocol v2g already; V2G messages are left to it")
    return
end

local f = {
    version = ProtoField.uint8("v2g.protocol_version", "Protocol Version", base.HEX),
    inverse = ProtoField.uint8("v2g.inverse_version", "Inverted Protocol Version", base.HEX),
    kind = ProtoField.uint16("v2g.payload_type", "Payload Type", base.HEX, TABLES.payload_names),
    length = ProtoField.uint32("v2g.payload_length", "Payload Length"),
    payload = ProtoField.bytes("v2g.payload", "Payload"),
    schema = ProtoField.string("v2g.schema", "Schema"),
    message = ProtoField.string("v2g.message", "Message"),
    error = ProtoField.string("v2g.error", "Error"),
    sdp = ProtoField.bytes("v2g.sdp_payload", "SECC Discovery"),
    address = ProtoField.ipv6("v2g.sdp.address", "SECC Address"),
    port = ProtoField.uint16("v2g.sdp.port", "SECC Port"),
    security = ProtoField.uint8("v2g.sdp.security", "Security", base.HEX, TABLES.security),
    transport = ProtoField.uint8("v2g.sdp.transport", "Transport", base.HEX, TABLES.transport),
}
local all, leaves = {}, {}
for _, field in pairs(f) do all[#all + 1] = field end
for name, kind in pairs(FIELDS) do
    local abbrev = "v2g." .. name
    local field
    if kind == "bool" then
        field = ProtoField.bool(abbrev, name)
    elseif kind == "int32" or kind == "uint32" or kind == "int64" or kind == "uint64" then
        field = ProtoField[kind](abbrev, name, base.DEC)
    else
        field = ProtoField[kind](abbrev, name)
    end
    leaves[name] = field
    all[#all + 1] = field
end
v2g.fields = all

local function value_of(node, kind)
    local value = node.value
    if kind == "string" then
        if type(value) ~= "number" then return tostring(value) end
        if not node.groups then return string.format("%d", value) end
        return (node.negative and "-" or "") .. decimal(node.groups, node.negative and 1 or 0)
    end
    if type(value) == "string" then return nil end
    if kind == "int64" then return Int64.new(value) end
    if kind ~= "uint64" then return value end
    local low, high = 0, 0
    for i, group in ipairs(node.groups or {}) do
        local shift = 7 * (i - 1)
        if shift < 28 then
            low = low + group * POWER[shift]
        elseif shift == 28 then
            low, high = low + (group % 16) * POWER[28], floor(group / 16)
        elseif shift < 64 then
            high = high + group * POWER[shift - 32]
        end
    end
    if not node.groups then low, high = value % POWER[32], floor(value / POWER[32]) end
    return UInt64.new(low, high % POWER[32])
end

local function show(tree, tvb, node)
    local first = floor(node.start / 8)
    local range = tvb(first, math.max(floor((node.stop + 7) / 8) - first, 1))
    local kind, field = FIELDS[node.name], leaves[node.name]
    if node.children then
        local item
        local number, unit
        if node.physical then number, unit = physical(node) end
        if number and kind == "double" then
            item = tree:add(field, range, number)
            if unit then item:append_text(" " .. unit) end
        else
            item = tree:add(range, node.name .. (number and string.format(": %.10g", number) or ""))
        end
        for _, child in ipairs(node.children) do show(item, tvb, child) end
        return
    end
    local value
    if field then value = value_of(node, kind) end
    if value == nil then
        tree:add(range, node.name .. ": " .. tostring(node.value))
    else
        tree:add(field, range, value)
    end
end

local function exi(tvb, pinfo, tree, kind)
    local data = tvb:raw()
    local schema = schema_of(kind, data)
    local item = tree:add(f.payload, tvb(0))
    if not schema then return nil end
    item = tree:add(tvb(0), "V2G Payload decoded")
    item:add(f.schema, tvb(0), schema)
    local root, problem, bit = decode(schema, data)
    if not root then
        local at = tvb(math.min(floor(bit / 8), tvb:len() - 1), 1)
        local shown = item:add(f.error, at, string.format("bit %d: %s", bit, problem))
        shown:add_expert_info(expert and expert.group.MALFORMED or PI_MALFORMED, expert and expert.severity.WARN or PI_WARN)
        return "(unreadable)", schema
    end
    local name = message_name(root)
    item:add(f.message, tvb(0), name)
    item:append_text(": " .. name)
    show(item, tvb, root)
    return name, schema
end

local function sdp(tvb, tree, kind)
    local item = tree:add(f.sdp, tvb(0))
    if kind == 0x9001 and tvb:len() >= 20 then
        item:add(f.address, tvb(0, 16))
        item:add(f.port, tvb(16, 2))
        item:add(f.security, tvb(18, 1))
        item:add(f.transport, tvb(19, 1))
        return "SECC_DiscoveryRes"
    elseif kind == 0x9000 and tvb:len() >= 2 then
        item:add(f.security, tvb(0, 1))
        item:add(f.transport, tvb(1, 1))
        return "SECC_DiscoveryReq"
    end
    return "SDP"
end

local function pdu(tvb, pinfo, tree)
    local kind = tvb(2, 2):uint()
    local top = tree:add(v2g, tvb())
    local header = top:add(tvb(0, 8), "V2G Header")
    header:add(f.version, tvb(0, 1))
    header:add(f.inverse, tvb(1, 1))
    header:add(f.kind, tvb(2, 2))
    header:add(f.length, tvb(4, 4))
    local name, schema
    if tvb:len() > 8 then
        local payload = tvb(8):tvb()
        if kind == 0x9000 or kind == 0x9001 then
            name = sdp(payload, top, kind)
        else
            name, schema = exi(payload, pinfo, top, kind)
        end
    end
    pinfo.cols.protocol:set("V2G" .. (schema and " " .. TABLES.decoders[schema] or ""))
    pinfo.cols.info:set((name or "") .. " " .. (TABLES.payload_names[kind] or string.format("0x%04x", kind)) .. " ")
    pinfo.cols.info:fence()
    top:append_text(name and ", " .. name or "")
    return tvb:len()
end

local function length_of(tvb, pinfo, offset)
    return tvb(offset + 4, 4):uint() + 8
end

local function is_v2gtp(tvb)
    if tvb:len() < 8 or tvb(0, 2):uint() ~= 0x01FE or tvb(4, 4):uint() > 0x20000 then return false end
    local kind = tvb(2, 2):uint()
    return kind >= 0x8001 and kind <= 0x9001
end

function v2g.dissector(tvb, pinfo, tree)
    if pinfo.port_type == 3 then return is_v2gtp(tvb) and pdu(tvb, pinfo, tree) or 0 end
    if tvb:len() >= 2 and tvb(0, 2):uint() ~= 0x01FE then return 0 end
    dissect_tcp_pdus(tvb, tree, 8, length_of, pdu)
    return tvb:len()
end

v2g:register_heuristic("tcp", function(tvb, pinfo, tree)
    if not is_v2gtp(tvb) then return false end
    pinfo.conversation = v2g
    v2g.dissector(tvb, pinfo, tree)
    return true
end)
v2g:register_heuristic("tls", function(tvb, pinfo, tree)
    if not is_v2gtp(tvb) then return false end
    dissect_tcp_pdus(tvb, tree, 8, length_of, pdu)
    return true
end)
v2g:register_heuristic("udp", function(tvb, pinfo, tree)
    if not is_v2gtp(tvb) then return false end
    pdu(tvb, pinfo, tree)
    return true
end)

-- Wireshark: TLS secrets in UDP packets ----------------------------------------------------------------------------------

local secret = Proto("tls_session_masterkey", "TLS Session Master Key")
local line = ProtoField.string("tls_session_masterkey.key", "Key log line")
secret.fields = { line }
secret:register_heuristic("udp", function(tvb, pinfo, tree)
    local data = tvb:len() >= 100 and tvb:raw(0, math.min(tvb:len(), 8192)) or ""
    local found = false
    for at, label in data:gmatch("()([A-Z][A-Z_0-9]+) %x+ %x+") do
        if label:find("_RANDOM") or label:find("_SECRET") then
            local whole = data:match("^[A-Z_0-9]+ %x+ %x+", at)
            if not found then
                found = tree:add(secret, tvb())
                pinfo.cols.protocol:set("TLS Session Master Key")
                pinfo.cols.info:set(label)
            end
            found:add(line, tvb(at - 1, #whole), whole)
        end
    end
    return found ~= false
end)

-- Wireshark: the test adapter ---------------------------------------------------------------------------------------------

local hal = Proto("hal", "CCS test adapter (HAL)")
local H = TABLES.hal
local h = {
    component = ProtoField.uint8("hal.component", "Component", base.HEX, H.components),
    sub = ProtoField.uint8("hal.sub_component", "Sub component", base.HEX),
    command = ProtoField.uint8("hal.command", "Command", base.HEX),
    mode = ProtoField.uint8("hal.mode", "Mode", base.HEX, H.modes),
    ack = ProtoField.uint8("hal.ack", "Ack", base.HEX, H.acks),
    timestamp = ProtoField.uint64("hal.timestamp", "Time stamp"),
    length = ProtoField.uint16("hal.payload_length", "Payload Length"),
    payload = ProtoField.bytes("hal.payload", "Payload"),
    frequency = ProtoField.double("hal.frequency", "Frequency, Hz"),
    duty = ProtoField.double("hal.duty_cycle", "Duty cycle, %"),
    positive = ProtoField.double("hal.positive_voltage", "Positive voltage, V"),
    negative = ProtoField.double("hal.negative_voltage", "Negative voltage, V"),
    proximity = ProtoField.uint16("hal.proximity", "Proximity"),
    state = ProtoField.string("hal.cp_state", "CP state"),
}
hal.fields = { h.component, h.sub, h.command, h.mode, h.ack, h.timestamp, h.length, h.payload, h.frequency, h.duty,
    h.positive, h.negative, h.proximity, h.state }

local function pilot_state(voltage)
    for _, band in ipairs(H.bands) do
        if voltage >= band[1] then return band[2] end
    end
    return "STATE_F"
end

function hal.dissector(tvb, pinfo, tree)
    if tvb:len() < 19 or tvb(0, 2):uint() ~= 0xFAAF then return 0 end
    local size = tvb(15, 2):uint()
    if tvb:len() < 19 + size then return 0 end
    local top = tree:add(hal, tvb(0, 19 + size))
    local key = string.format("%d.%d.%d", tvb(2, 1):uint(), tvb(3, 1):uint(), tvb(4, 1):uint())
    local name = H.commands[key] or "command " .. key
    top:add(h.component, tvb(2, 1))
    top:add(h.sub, tvb(3, 1)):append_text(" " .. (H.subs[key:match("^%d+%.%d+")] or ""))
    top:add(h.command, tvb(4, 1)):append_text(" " .. name)
    top:add(h.mode, tvb(5, 1))
    top:add(h.ack, tvb(6, 1))
    top:add(h.timestamp, tvb(7, 8))
    top:add(h.length, tvb(15, 2))
    if size > 0 then
        local item = top:add(h.payload, tvb(17, size))
        if name == "WATCH_PERIODIC_STATUS" and size == 18 then
            item:add(h.frequency, tvb(17, 4), tvb(17, 4):uint() / 1000)
            item:add(h.duty, tvb(21, 4), tvb(21, 4):uint() / 1000)
            item:add(h.positive, tvb(25, 4), tvb(25, 4):uint() / 1000)
            item:add(h.negative, tvb(29, 4), tvb(29, 4):uint() / 1000)
            item:add(h.proximity, tvb(33, 2))
            item:add(h.state, tvb(25, 4), pilot_state(tvb(25, 4):uint() / 1000))
        end
    end
    pinfo.cols.protocol:set("HAL")
    pinfo.cols.info:set(name .. " " .. (H.acks[tvb(6, 1):uint()] or ""))
    return 19 + size
end

DissectorTable.get("ethertype"):add(0x4841, hal)
