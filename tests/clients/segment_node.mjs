// What a server with @segment/analytics-node sends in one person's day: node segment_node.mjs HOST KEY
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, flushInterval: 50 })
analytics.on('error', (error) => console.log(`failed: ${error.code}`))

const timestamp = new Date('2026-11-20T10:00:00.250Z')
const anonymousId = 'visitor-1'
const context = { campaign: { source: 'newsletter', name: 'autumn' } }
analytics.page({ anonymousId, name: 'Prices', properties: { path: '/prices' }, context, timestamp })
analytics.identify({ userId: 'u-1', anonymousId, traits: { email: 'ana@example.com', plan: 'team' } })
analytics.track({ userId: 'u-1', event: 'Order Completed', properties: { total: 25.5 }, timestamp })
analytics.group({ userId: 'u-1', groupId: 'acme', traits: { name: 'Acme' } })
analytics.screen({ userId: 'u-1', name: 'Basket', properties: { items: 2 }, timestamp })
analytics.alias({ previousId: 'u-1', userId: 'crm-1' })
await analytics.closeAndFlush()
