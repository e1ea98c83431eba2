/** The tabs of an origin: what they tell each other and how one excludes the others, where they can. */

/**
 * A channel to the other tabs; undefined where there is none, as in Node, or where the browser refuses
 * it together with all storage.
 */
export function channel(name, hear) {
  if (!globalThis.document) return undefined; // it would keep Node from ending
  try {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({data}) => hear(data);
    return opened;
  } catch {
    return undefined;
  }
}

/**
 * Run `work` under a Web Lock, or without it where there are no locks (pages that are served neither over
 * TLS nor from this machine), the browser refuses them, or `options.signal` ends the wait.
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
