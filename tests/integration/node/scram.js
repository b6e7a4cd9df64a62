'use strict'
// SCRAM-SHA-256 (RFC 5802, RFC 7677) as a client, for ASCII names without "," and "=".

const crypto = require('crypto')

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest()
const hash = bytes => crypto.createHash('sha256').update(bytes).digest()
const attribute = (message, name) => message.split(',').find(part => part.startsWith(name + '=')).slice(2)

class Scram {
  constructor (user, password) {
    this.password = password
    this.firstBare = `n=${user},r=${crypto.randomBytes(18).toString('base64')}`
  }

  first () {
    return Buffer.from('n,,' + this.firstBare)
  }

  final (serverFirst) {
    const salt = Buffer.from(attribute(serverFirst, 's'), 'base64')
    const salted = crypto.pbkdf2Sync(this.password, salt, Number(attribute(serverFirst, 'i')), 32, 'sha256')
    const withoutProof = `c=biws,r=${attribute(serverFirst, 'r')}`
    const signed = `${this.firstBare},${serverFirst},${withoutProof}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(hash(clientKey), signed)
    this.serverSignature = hmac(hmac(salted, 'Server Key'), signed).toString('base64')
    const proof = clientKey.map((byte, index) => byte ^ signature[index])
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  }

  // Whether the server knows the password, too.
  isServer (serverFinal) {
    return attribute(serverFinal, 'v') === this.serverSignature
  }
}

module.exports = { Scram }
