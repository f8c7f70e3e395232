// A browser without a person: follows the login of the provider, with its cookies, to the client's own address.
export const REDIRECT = 'http://127.0.0.1:7/callback';

export const visit = async (address) => {
  const cookies = new Map();
  let url = new URL(address);
  for (let steps = 0; steps < 20; steps += 1) {
    if (url.href.startsWith(REDIRECT)) return url.searchParams;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      cookies.set(name, value.join('='));
    }
    const location = response.headers.get('location');
    if (!location) throw new Error(`the login ends at ${url} with ${response.status}: ${(await response.text()).slice(0, 300)}`);
    url = new URL(location, url);
  }
  throw new Error('the login has no end');
};
