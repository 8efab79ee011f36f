// The job of one sync as a hand-written endpoint does it: token, validation, key, one transaction a request with the
// incident and its history row, prepared statements, a pool. Compared with incident-server by the benchmark, on the
// tables that a server made.
// Arguments: port, PostgreSQL URL, file with the HS256 secret.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import pg from 'pg'

const [port, database, secretFile] = process.argv.slice(2)
const secret = readFileSync(secretFile, 'utf8').trimEnd()
const pool = new pg.Pool({ connectionString: database, max: 16 })
const app = Fastify({ bodyLimit: 32 * 1024 })
app.register(fastifyJwt, { secret, verify: { algorithms: ['HS256'], cache: 20_000 } })

const text = (maxLength) => ({ type: 'string', minLength: 1, maxLength })
const schema = {
  body: {
    type: 'object',
    required: ['locationId', 'gpsCoordinates', 'isAnonymous', 'createdAt'],
    properties: {
      locationId: text(128),
      roomNumber: text(64),
      gpsCoordinates: {
        type: 'object',
        required: ['type', 'coordinates'],
        properties: {
          type: { const: 'Point' },
          coordinates: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'number' } },
        },
      },
      isAnonymous: { type: 'boolean' },
      createdAt: { type: 'string', format: 'date-time' },
      cancellationReason: text(1000),
    },
  },
}

function timeOrdered(ms, digest) {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(ms, 0, 6)
  digest.copy(bytes, 6, 0, 10)
  bytes[6] = (bytes[6] & 0x0f) | 0x80
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytes
}

function hyphenated(bytes) {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function identify(sub, ms) {
  const moment = Buffer.alloc(8)
  moment.writeBigInt64BE(BigInt(ms))
  const digest = createHash('sha256').update('incident-sync/key/v1\0').update(sub).update('\0').update(moment).digest()
  const key = timeOrdered(ms, digest)
  return { key: hyphenated(key), id: hyphenated(timeOrdered(ms, createHmac('sha256', secret).update(key).digest())) }
}

const insert = {
  name: 'insert',
  text: `INSERT INTO incidents (id, reporter, location_id, room_number, longitude_e7, latitude_e7, is_anonymous,
    created_at_ms, received_at_ms, cancelled_at_ms, cancellation_reason, version, clock_suspect)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $10::text IS NOT NULL THEN $9::bigint END, $10, 1, false)
    ON CONFLICT (id) DO UPDATE SET
      version = incidents.version + 1, cancelled_at_ms = excluded.cancelled_at_ms,
      cancellation_reason = excluded.cancellation_reason
    WHERE incidents.cancelled_at_ms IS NULL AND excluded.cancelled_at_ms IS NOT NULL
    RETURNING version`,
}
const record = {
  name: 'record',
  text: 'INSERT INTO history (incident_id, kind, at_ms, cancellation_reason) VALUES ($1, $2, $3, $4)',
}

async function store(values, now, reason) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const changed = (await client.query({ ...insert, values })).rows[0]
    if (changed) {
      await client.query({ ...record, values: [values[0], reason ? 'cancelled' : 'created', now, reason] })
    }
    await client.query('COMMIT')
    return changed
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

const options = { schema, onRequest: (request) => request.jwtVerify() }
app.post('/api/incidents/sync', options, async (request, reply) => {
  const payload = request.body
  const [longitude, latitude] = payload.gpsCoordinates.coordinates.map((degrees) => Math.round(degrees * 1e7))
  const reason = payload.cancellationReason ?? null
  const reporter = payload.isAnonymous ? null : request.user.sub
  const createdAt = Date.parse(payload.createdAt)
  const now = Date.now()
  const { key, id } = identify(request.user.sub, createdAt)
  const changed = await store([id, reporter, payload.locationId, payload.roomNumber ?? null, longitude, latitude,
    payload.isAnonymous, createdAt, now, reason], now, reason)
  const created = changed?.version === 1
  reply.code(created ? 201 : 200)
  return {
    outcome: created ? 'created' : changed ? 'cancelled' : 'unchanged',
    disposition: 'settled',
    idempotencyKey: key,
    incident: { id, status: reason ? 'Cancelled' : 'Open', ...payload, receivedAt: new Date(now).toISOString() },
  }
})

await app.listen({ port: Number(port), host: '127.0.0.1' })
console.log(`the peer listens on http://127.0.0.1:${port}`)
