/**
 * Fees on sales of US equities, which brokers pass through: the Securities and Exchange Commission's Section 31
 * fee and FINRA's Trading Activity Fee. Rates change, so every one carries the trade date from which it holds.
 *
 * Sources: the SEC's fee rate advisories and FINRA's information notices (Section 31); FINRA regulatory notices
 * 11-27, 12-06 and 12-31, rule filing SR-FINRA-2024-019 (2026 to 2028) and Schedule A to the FINRA By-Laws, section 1
 * (Trading Activity Fee). The waiver of the activity fee that FINRA filed for the last quarter of 2026 is left out: a
 * fee too high does not flatter.
 */

/** [first trade date, dollars per million dollars sold] */
const SECTION_31: readonly (readonly [string, number])[] = [
  ['2009-04-10', 25.7],
  ['2010-01-15', 12.7],
  ['2010-04-01', 16.9],
  ['2011-01-21', 19.2],
  ['2012-02-21', 18.0],
  ['2012-04-01', 22.4],
  ['2013-05-25', 17.4],
  ['2014-03-18', 22.1],
  ['2015-02-14', 18.4],
  ['2016-02-16', 21.8],
  ['2017-07-04', 23.1],
  ['2018-05-22', 13.0],
  ['2019-04-16', 20.7],
  ['2020-02-18', 22.1],
  ['2021-02-25', 5.1],
  ['2022-05-14', 22.9],
  ['2023-02-27', 8.0],
  ['2024-05-22', 27.8],
  ['2025-05-14', 0],
  ['2026-04-04', 20.6],
];

/** [first trade date, dollars per share sold, most per trade in dollars] */
const TRADING_ACTIVITY: readonly (readonly [string, number, number])[] = [
  ['2004-01-01', 0.000075, 3.75],
  ['2011-07-01', 0.00009, 4.5],
  ['2012-03-01', 0.000095, 4.75],
  ['2012-07-01', 0.000119, 5.95],
  ['2022-01-01', 0.00013, 6.49],
  ['2023-01-01', 0.000145, 7.27],
  ['2024-01-01', 0.000166, 8.3],
  ['2026-01-01', 0.000195, 9.79],
  ['2027-01-01', 0.000232, 11.61],
  ['2028-01-01', 0.00024, 12.05],
];

const DAY_MS = 86_400_000;
const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

/** Both tables cut at every date on which either changes: one number, the period, then finds all three rates. */
const firstDays = [...new Set([...SECTION_31, ...TRADING_ACTIVITY].map(([date]) => dayOf(date)))].sort((a, b) => a - b);
const rateOn = <Row extends readonly [string, ...number[]]>(table: readonly Row[], day: number): Row =>
  table.findLast(([date]) => dayOf(date) <= day) ?? table[0];

/** (periods) first day of each fee period as days since 1970-01-01, ascending. */
export const FEE_PERIOD_FIRST_DAY = Int32Array.from(firstDays);
/** (periods) Section 31 fee as a fraction of the value sold. */
const sectionRate = Float64Array.from(firstDays, (day) => rateOn(SECTION_31, day)[1] / 1e6);
/** (periods) Trading Activity Fee per share sold, and its maximum per trade. */
const activityRate = Float64Array.from(firstDays, (day) => rateOn(TRADING_ACTIVITY, day)[1]);
const activityMaximum = Float64Array.from(firstDays, (day) => rateOn(TRADING_ACTIVITY, day)[2]);

/** The fee period of a trade date. Dates before the tables begin take their first rows, dates after their last. */
export function feePeriodOf(dayId: number): number {
  let period = FEE_PERIOD_FIRST_DAY.length - 1;
  while (period > 0 && dayId < FEE_PERIOD_FIRST_DAY[period]) period--;
  return period;
}

/** Dollars charged on selling `shares` (>= 0) at `price`. Not rounded to cents. */
export function regulatoryFees(shares: number, price: number, period: number): number {
  return sectionRate[period] * shares * price + Math.min(activityRate[period] * shares, activityMaximum[period]);
}
