// What every page here stands on: where it sends to, and how it says that it is done.
export const [host, writeKey] = location.search.slice(1).split('&')

const tell = (said) => fetch('/done', { method: 'POST', body: JSON.stringify(said) })
export const done = (said) => tell(said)

addEventListener('error', (event) => tell({ error: `${event.message}` }))
addEventListener('unhandledrejection', (event) => tell({ error: `${event.reason}` }))
