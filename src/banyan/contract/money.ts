// Amounts as people read them. An amount is a whole number of the currency's minor units, and how many of them make one
// is said by one table: ISO 4217, list one of 2024-06-25 (SIX, the standard's maintenance agency), with amendment 176
// (XCG). Not by Intl, whose digits are those that shops of a country show (CLDR): none for HUF, of which ISO has two.

/** By how many digits come after the point. Codes to which the list gives none (metals, funds, XXX) are not here. */
const codes: readonly (readonly [digits: number, codes: string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [
    2,
    `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
     CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG
     HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
     MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
     SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW
     ZWG`,
  ],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
];

const digitsOf: ReadonlyMap<string, number> = new Map(
  codes.flatMap(([digits, some]) => some.split(/\s+/).map((code): [string, number] => [code, digits])),
);

/** How many digits of the amount come after the point; undefined for a code of which ISO 4217 does not say. */
export function minorDigits(currency: string): number | undefined {
  return digitsOf.get(currency);
}

/** `EUR 1,234.50`; where nobody knows what makes a whole one, what is known: `XXX 123450 (minor units)`. */
export function money(minorUnits: number, currency: string): string {
  const digits = minorDigits(currency);
  if (digits === undefined) return `${currency} ${minorUnits} (minor units)`;
  let format = formats.get(currency);
  if (!format) {
    format = new Intl.NumberFormat('en', {
      style: 'currency',
      currency,
      currencyDisplay: 'code',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(currency, format);
  }
  return format.format(minorUnits / 10 ** digits);
}

/** Making one costs as much as the rest of a mail. */
const formats = new Map<string, Intl.NumberFormat>();
