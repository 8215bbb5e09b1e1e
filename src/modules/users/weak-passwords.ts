// Passwords that are refused where one is chosen, never where one signs in: the 30,000 that people choose most, and
// what anybody knows of the account. Compared whole, whatever the case, in the spelling that is hashed; a password
// that only resembles a common one is fine. It knows no account but the one it is told.
import { spelled } from './passwords.ts';

const MOST_COMMON = 30_000;

let common: Promise<ReadonlySet<string>> | undefined;

/** Why not, in words for the one who chose it; undefined: it will do. */
export async function whyWeak(
  password: string,
  { email, name }: { readonly email: string; readonly name: string },
): Promise<string | undefined> {
  const word = plain(password);
  if ([email, email.slice(0, email.lastIndexOf('@')), name].some((one) => plain(one) === word)) {
    return 'is the address or the name of the account; choose one that nobody can guess';
  }
  common ??= load();
  return (await common).has(word)
    ? 'is one of the 30,000 most common passwords; choose another, a few words in a row for example'
    : undefined;
}

/** Loaded with the first password that is chosen: 30 ms and 14 MB, of which 2 stay. Those under 8 characters are too short anyway. */
async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const words = dictionary['passwords-common'];
  return new Set(words.slice(0, MOST_COMMON).filter((word) => word.length >= 8));
}

function plain(text: string): string {
  return spelled(text).trim().toLowerCase();
}
