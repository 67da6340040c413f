// What a server with Segment's former library for Node sends: node segment_node_older.cjs HOST KEY
const Analytics = require('analytics-node')

const [host, writeKey] = process.argv.slice(2)
const errorHandler = (error) => console.log(`failed: ${error.response?.status ?? error.code}`)
const analytics = new Analytics(writeKey, { host, errorHandler })

const timestamp = new Date('2026-11-20T10:00:00.250Z')
const anonymousId = 'visitor-1'
const context = { campaign: { source: 'newsletter', name: 'autumn' } }
analytics.page({ anonymousId, name: 'Prices', properties: { path: '/prices' }, context, timestamp })
analytics.identify({ userId: 'u-1', anonymousId, traits: { email: 'ana@example.com', plan: 'team' } })
analytics.track({ userId: 'u-1', event: 'Order Completed', properties: { total: 25.5 }, timestamp })
analytics.group({ userId: 'u-1', groupId: 'acme', traits: { name: 'Acme' } })
analytics.screen({ userId: 'u-1', name: 'Basket', properties: { items: 2 }, timestamp })
analytics.alias({ previousId: 'u-1', userId: 'crm-1' })
analytics.flush().catch(() => {})
