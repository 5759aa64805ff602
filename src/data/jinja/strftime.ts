// Python's strftime for a fixed moment, in the C locale of English names. Pure.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** `date` in UTC. As with glibc, "-" takes the padding away and an unknown letter stays. */
export function strftime(date: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  const weekday = date.getUTCDay();
  const dayOfYear = Math.floor((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000);
  const hour12 = hour % 12 === 0 ? 12 : hour % 12;
  // ISO 8601: the week belongs to the year of its Thursday.
  const thursday = new Date(Date.UTC(year, month, day + 3 - ((weekday + 6) % 7)));
  const isoWeek = 1 + Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / (7 * 86_400_000));
  const parts: Readonly<Record<string, string>> = {
    a: DAYS[weekday].slice(0, 3),
    A: DAYS[weekday],
    b: MONTHS[month].slice(0, 3),
    h: MONTHS[month].slice(0, 3),
    B: MONTHS[month],
    c: `${DAYS[weekday].slice(0, 3)} ${MONTHS[month].slice(0, 3)} ${String(day).padStart(2)} ${two(hour)}:${two(minute)}:${two(second)} ${year}`,
    C: two(Math.floor(year / 100)),
    d: two(day),
    D: `${two(month + 1)}/${two(day)}/${two(year % 100)}`,
    e: String(day).padStart(2),
    F: `${year}-${two(month + 1)}-${two(day)}`,
    f: '000000',
    G: String(thursday.getUTCFullYear()),
    g: two(thursday.getUTCFullYear() % 100),
    H: two(hour),
    I: two(hour12),
    j: String(dayOfYear + 1).padStart(3, '0'),
    k: String(hour).padStart(2),
    l: String(hour12).padStart(2),
    m: two(month + 1),
    M: two(minute),
    n: '\n',
    p: hour < 12 ? 'AM' : 'PM',
    P: hour < 12 ? 'am' : 'pm',
    r: `${two(hour12)}:${two(minute)}:${two(second)} ${hour < 12 ? 'AM' : 'PM'}`,
    R: `${two(hour)}:${two(minute)}`,
    s: String(Math.floor(date.getTime() / 1000)),
    S: two(second),
    t: '\t',
    T: `${two(hour)}:${two(minute)}:${two(second)}`,
    u: String(weekday === 0 ? 7 : weekday),
    U: two(Math.floor((dayOfYear + 7 - weekday) / 7)),
    V: two(isoWeek),
    w: String(weekday),
    W: two(Math.floor((dayOfYear + 7 - ((weekday + 6) % 7)) / 7)),
    x: `${two(month + 1)}/${two(day)}/${two(year % 100)}`,
    X: `${two(hour)}:${two(minute)}:${two(second)}`,
    y: two(year % 100),
    Y: String(year),
    z: '',
    Z: '',
    '%': '%',
  };
  return format.replace(/%(-?)(.)/gs, (whole, bare: string, letter: string) => {
    const value = parts[letter] as string | undefined;
    if (value === undefined) return whole;
    return bare === '' ? value : value.replace(/^[0 ]+(?=\d)/, '');
  });
}
