/**
 * Keeps the viewer's name in a cookie of this address, which the pages' server reads at the next
 * visit without asking; an empty name takes it away.
 */
const YEAR_S = 365 * 24 * 3600;

export default function remember({ data }) {
  const age = data.value ? YEAR_S : 0;
  document.cookie = `${data.name}=${data.value}; Path=${data.path}; Max-Age=${age}; SameSite=Lax`;
}
