'use strict'
// mqtt.js as a client that a test drives over standard input and output, with the lines that paho/driver.h describes.
//
// peers installs mqtt.js under build/peers/node, and NODE_PATH points there.

const fs = require('fs')
const mqtt = require('mqtt')
const readline = require('readline')

const { Scram } = require('./scram')

let client = null

// Names of properties in the standard's snake_case, and what is a number, a flag or bytes in mqtt.js.
const numbers = new Set([
  'message_expiry_interval', 'topic_alias', 'subscription_identifier', 'session_expiry_interval', 'receive_maximum',
  'maximum_packet_size', 'topic_alias_maximum', 'will_delay_interval', 'server_keep_alive', 'maximum_qos'
])
const flags = new Set(['payload_format_indicator', 'request_problem_information', 'request_response_information'])
const bytes = new Set(['correlation_data', 'authentication_data'])
const texts = new Set(['content_type', 'response_topic', 'reason_string', 'authentication_method'])

const camel = name => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
const snake = name => name.replace(/[A-Z]/g, letter => '_' + letter.toLowerCase())
const encode = value => Array.from(Buffer.from(value), byte => {
  const char = String.fromCharCode(byte)
  return /[A-Za-z0-9/._-]/.test(char) ? char : '%' + byte.toString(16).padStart(2, '0')
}).join('')

function decode (text) {
  const out = []
  for (let i = 0; i < text.length; ++i) {
    if (text[i] === '%') {
      out.push(parseInt(text.slice(i + 1, i + 3), 16))
      i += 2
    } else {
      out.push(text.charCodeAt(i))
    }
  }
  return Buffer.from(out)
}

function report (event, fields = []) {
  process.stdout.write([event, ...fields.map(([name, value]) => `${name}=${encode(Buffer.isBuffer(value) ? value : String(value))}`)].join(' ') + '\n')
}

function parse (line) {
  const [command, ...words] = line.split(' ')
  const fields = words.map(word => {
    const equals = word.indexOf('=')
    return [word.slice(0, equals), decode(word.slice(equals + 1))]
  })
  const value = name => fields.find(field => field[0] === name)?.[1]
  return {
    command,
    fields,
    has: name => value(name) !== undefined,
    bytes: name => value(name) ?? Buffer.alloc(0),
    text: name => (value(name) ?? '').toString(),
    number: (name, otherwise = 0) => value(name) === undefined ? otherwise : Number(value(name).toString())
  }
}

function properties (line, prefix = '') {
  const found = {}
  for (const [field, value] of line.fields) {
    if (!field.startsWith(prefix)) continue
    const name = field.slice(prefix.length)
    if (name === 'user_property') {
      const [key, text] = value.toString().split(':').map(part => decode(part).toString())
      found.userProperties ??= {}
      found.userProperties[key] = [...(found.userProperties[key] ?? []), text]
    } else if (numbers.has(name)) {
      found[camel(name)] = Number(value.toString())
    } else if (flags.has(name)) {
      found[camel(name)] = value.toString() === '1'
    } else if (bytes.has(name)) {
      found[camel(name)] = value
    } else if (texts.has(name)) {
      found[camel(name)] = value.toString()
    }
  }
  return found
}

// The fields for an event. mqtt.js gathers user properties by their names, so their order among names is not to be seen.
function propertyFields (found = {}) {
  const fields = []
  for (const [name, value] of Object.entries(found)) {
    if (name === 'userProperties') {
      for (const [key, texts] of Object.entries(value)) {
        for (const text of [texts].flat()) fields.push(['user_property', `${encode(key)}:${encode(text)}`])
      }
    } else {
      for (const item of [value].flat()) {
        fields.push([snake(name), typeof item === 'boolean' ? Number(item) : item])
      }
    }
  }
  return fields
}

function options (line) {
  const found = {
    host: line.text('host'),
    port: line.number('port'),
    clientId: line.text('id'),
    protocolVersion: line.number('version', 5),
    protocolId: line.number('version', 5) === 3 ? 'MQIsdp' : 'MQTT',
    clean: line.number('clean', 1) === 1,
    keepalive: line.number('keep_alive', 60),
    reconnectPeriod: line.number('automatic_reconnect') ? 20 : 0,
    resubscribe: false,
    queueQoSZero: false,
    // These keep messages in flight over reconnections; the default ones forget them.
    incomingStore: new mqtt.Store({ clean: false }),
    outgoingStore: new mqtt.Store({ clean: false })
  }
  if (line.has('protocol')) found.protocol = line.text('protocol') // ws, wss or mqtts
  if (line.has('path')) found.path = line.text('path')
  if (line.has('ca')) found.ca = fs.readFileSync(line.text('ca'))
  if (line.has('cert')) Object.assign(found, { cert: fs.readFileSync(line.text('cert')), key: fs.readFileSync(line.text('key')) })
  if (found.protocolVersion === 5) found.properties = properties(line)
  if (line.has('will_topic')) {
    found.will = {
      topic: line.text('will_topic'),
      payload: line.bytes('will_payload'),
      qos: line.number('will_qos'),
      retain: line.number('will_retain') === 1,
      ...(found.protocolVersion === 5 ? { properties: properties(line, 'will.') } : {})
    }
  }
  return found
}

// The next step of an enhanced authentication.
function answerAuth (scram, packet, done) {
  const { authenticationMethod, authenticationData } = packet.properties
  done(null, {
    cmd: 'auth',
    reasonCode: 0x18,
    properties: { authenticationMethod, authenticationData: scram.final(authenticationData.toString()) }
  })
}

function connect (line) {
  if (client) {
    // Without these it would start with empty stores.
    client.reconnect({ incomingStore: client.incomingStore, outgoingStore: client.outgoingStore })
    return
  }
  const wanted = options(line)
  const scram = line.has('scram_user') ? new Scram(line.text('scram_user'), line.text('scram_password')) : null
  if (scram) Object.assign(wanted.properties, { authenticationMethod: 'SCRAM-SHA-256', authenticationData: scram.first() })
  client = mqtt.connect(wanted)
  if (scram) client.handleAuth = (packet, done) => answerAuth(scram, packet, done)
  let connectedBefore = false
  client.on('connect', packet => {
    const event = connectedBefore && line.number('automatic_reconnect') ? 'reconnected' : 'connected'
    connectedBefore = true
    report(event, [
      ...(scram ? [['server_proved', Number(scram.isServer(packet.properties.authenticationData.toString()))]] : []),
      ['session_present', Number(packet.sessionPresent)], ['code', packet.reasonCode ?? packet.returnCode],
      ...propertyFields(packet.properties)
    ])
  })
  client.on('packetreceive', packet => {
    if (packet.cmd === 'connack' && (packet.reasonCode ?? packet.returnCode) !== 0) {
      report('failed', [['code', packet.reasonCode ?? packet.returnCode], ...propertyFields(packet.properties)])
    }
  })
  client.on('disconnect', packet => report('ended', [['code', packet.reasonCode], ...propertyFields(packet.properties)]))
  client.on('close', () => report('lost'))
  client.on('error', error => process.stderr.write(`error: ${error.message}\n`))
  client.on('message', (topic, payload, packet) => report('message', [
    ['topic', topic], ['qos', packet.qos], ['retain', Number(packet.retain)], ['dup', Number(packet.dup)],
    ['payload', payload], ...propertyFields(packet.properties)
  ]))
}

const commands = {
  connect,
  subscribe (line) {
    const options = { qos: line.number('qos') }
    if (client.options.protocolVersion === 5) {
      Object.assign(options, {
        nl: line.number('no_local') === 1,
        rap: line.number('retain_as_published') === 1,
        rh: line.number('retain_handling'),
        properties: properties(line)
      })
    }
    client.subscribe(line.text('filter'), options, (error, granted) => {
      report('subscribed', [['tag', line.text('tag')], ['code', error ? error.code ?? 128 : granted[0].qos]])
    })
  },
  unsubscribe (line) {
    client.unsubscribe(line.text('filter'), {}, (error, packet) => {
      const codes = packet?.granted ?? []
      report('unsubscribed', [['tag', line.text('tag')], ['code', error ? 128 : codes[0] ?? 0]])
    })
  },
  publish (line) {
    const options = { qos: line.number('qos'), retain: line.number('retain') === 1 }
    if (client.options.protocolVersion === 5) options.properties = properties(line)
    client.publish(line.text('topic'), line.bytes('payload'), options, (error, packet) => {
      // 0x92 answers a release that was sent again because its first answer was lost: the message has been delivered.
      const delivered = !error || error.code === 0x92
      report(delivered ? 'published' : 'refused', [['tag', line.text('tag')], ['code', error?.code ?? packet?.reasonCode ?? 0]])
    })
  },
  disconnect (line) {
    const options = client.options.protocolVersion === 5
      ? { reasonCode: line.number('code'), properties: properties(line) }
      : {}
    client.end(false, options, () => report('disconnected'))
  }
}

readline.createInterface({ input: process.stdin }).on('line', text => {
  const line = parse(text)
  commands[line.command](line)
}).on('close', () => process.exit(0))
