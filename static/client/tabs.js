/** Broadcasts and locks between the tabs of an origin, where the browser supports them. */

/**
 * A broadcast channel to the other tabs; undefined if there is none, as in Node, or if the browser
 * blocks it together with all storage.
 */
export function channel(name, receive) {
  if (!globalThis.document) return undefined; // it would keep Node from exiting
  try {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({data}) => receive(data);
    return opened;
  } catch {
    return undefined;
  }
}

/**
 * Run `work` under a Web Lock. Run it without one if locks are unavailable (pages served neither over TLS
 * nor from this machine), blocked by the browser, or if `options.signal` ends the wait.
 */
export async function locked(name, options, work) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work({});
  let hasBegun = false;
  try {
    return await locks.request(name, options, lock => {
      hasBegun = true;
      return work(lock);
    });
  } catch (error) {
    if (hasBegun) throw error;
    return work({});
  }
}
