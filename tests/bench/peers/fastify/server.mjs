// The job of one sync as a hand-written endpoint does it: token, validation, key, one transaction a request with the
// incident and its history row, prepared statements, a pool. Compared with incident-server by the benchmark.
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
app.register(fastifyJwt, { secret, verify: { algorithms: ['HS256'], cache: true } })

await pool.query(`
  CREATE TABLE IF NOT EXISTS peer_incidents (
    id uuid PRIMARY KEY, reporter text, location_id text NOT NULL, room_number text,
    longitude double precision NOT NULL, latitude double precision NOT NULL, is_anonymous boolean NOT NULL,
    created_at timestamptz NOT NULL, received_at timestamptz NOT NULL DEFAULT now(),
    cancelled_at timestamptz, cancellation_reason text)`)
await pool.query('CREATE INDEX IF NOT EXISTS peer_by_reporter ON peer_incidents (reporter, id)')
await pool.query('CREATE INDEX IF NOT EXISTS peer_by_location ON peer_incidents (location_id, id)')
await pool.query(`
  CREATE TABLE IF NOT EXISTS peer_history (
    position bigserial PRIMARY KEY, incident_id uuid NOT NULL, kind text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), cancellation_reason text)`)
await pool.query('CREATE INDEX IF NOT EXISTS peer_history_by_incident ON peer_history (incident_id, position)')

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
  text: `INSERT INTO peer_incidents (id, reporter, location_id, room_number, longitude, latitude, is_anonymous,
    created_at, cancelled_at, cancellation_reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9::text IS NOT NULL THEN now() END, $9)
    ON CONFLICT (id) DO NOTHING RETURNING received_at`,
}
const record = { name: 'record', text: 'INSERT INTO peer_history (incident_id, kind, cancellation_reason) VALUES ($1, $2, $3)' }

async function store(values, reason) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const created = (await client.query({ ...insert, values })).rows[0]
    if (created) {
      await client.query({ ...record, values: [values[0], reason ? 'cancelled' : 'created', reason] })
    }
    await client.query('COMMIT')
    return created
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
  const [longitude, latitude] = payload.gpsCoordinates.coordinates
  const reason = payload.cancellationReason ?? null
  const reporter = payload.isAnonymous ? null : request.user.sub
  const { key, id } = identify(request.user.sub, Date.parse(payload.createdAt))
  const created = await store([id, reporter, payload.locationId, payload.roomNumber ?? null, longitude, latitude,
    payload.isAnonymous, payload.createdAt, reason], reason)
  reply.code(created ? 201 : 200)
  return {
    outcome: created ? 'created' : 'unchanged',
    disposition: 'settled',
    idempotencyKey: key,
    incident: { id, status: reason ? 'Cancelled' : 'Open', ...payload, receivedAt: created?.received_at },
  }
})

await app.listen({ port: Number(port), host: '127.0.0.1' })
console.log(`the peer listens on http://127.0.0.1:${port}`)
