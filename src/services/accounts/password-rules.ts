/**
 * What may be a password: long, and not one of those that everybody tries first. No rules about kinds of characters: they
 * make passwords that are hard to remember and no harder to guess (NIST SP 800-63B, section 3.1.1).
 */
import { PASSWORD_MIN_LENGTH } from "../../protocol/mod.js";

/** Of ten characters and more, as people choose them; shorter ones are refused anyway. In lower case. */
const COMMON = new Set(
  `1234567890 0123456789 0987654321 9876543210 12345678910 123456789a 1234567891 1234567899 12345678900 123456789q 1q2w3e4r5t
  1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6 qwertyuiop qwertyuiop123 qwertyuiop1 1234qwerasdf qwerty12345 qwerty123456 qwerty1234
  asdfghjkl1 asdfghjkl123 zxcvbnm123 1qaz2wsx3edc 1qazxsw23edc zaq12wsxcde3 qazwsxedcrfv qazwsxedc123 password01 password12
  password123 password1234 password12345 password123! password1! passw0rd123 p@ssw0rd123 p@ssword123 passwordpassword
  mypassword mypassword1 newpassword newpassword1 thepassword iloveyou12 iloveyou123 iloveyou1234 iloveyou2! ilovemyself
  sunshine12 sunshine123 princess12 princess123 football12 football123 baseball12 baseball123 basketball basketball1
  superman12 superman123 spiderman1 spiderman123 batman12345 pokemon123 charlie123 michael123 jennifer12 jessica123
  welcome123 welcome1234 welcome12345 welcome2024 welcome2025 welcome2026 admin12345 admin123456 administrator administrator1
  adminadmin letmein123 letmein1234 changeme12 changeme123 changemenow trustno1234 test123456 testtest123 testing123
  computer12 computer123 internet12 internet123 starwars12 starwars123 liverpool1 liverpool123 chelsea123 arsenal123
  manchester manchester1 barcelona1 barcelona10 realmadrid realmadrid1 juventus10 abcdefghij abcdefghijk abcd123456
  abc1234567 abc123456789 abcabcabc1 a123456789 aa12345678 aaa123456789 asd123456789 q123456789 qwe123456789 zxc123456789
  1111111111 0000000000 2222222222 1212121212 1231231231 123123123123 1122334455 11223344556 6666666666 7777777777 8888888888
  9999999999 5555555555 1010101010 0101010101 1020304050 147258369a 1472583690 7894561230 9638527410 741852963a
  christopher elizabeth1 alexander1 charlotte1 maximilian november11 december12 september1 summer2024 summer2025 summer2026
  winter2024 winter2025 winter2026 spring2025 spring2026 autumn2025 autumn2026 correcthorse correcthorsebatterystaple
  whatsapp123 facebook12 facebook123 google1234 samsung123 samsung1234 iphone12345 playstation playstation1 minecraft1
  minecraft123 fortnite123 hellohello hello12345 hello123456 helloworld helloworld1 goodmorning goodluck123 lovelovelove
  loveyou123 mylove1234 babygirl12 babygirl123 butterfly1 chocolate1 strawberry strawberry1 watermelon watermelon1
  swifteats1 swifteats123 deliciousfood pizza12345 pizzapizza hamburger1 restaurant restaurant1 delivery123 customer123`.split(
    /\s+/,
  ),
);

/** A sentence that says what is wrong with it, or null. `about`: what strangers know about its owner. */
export function weakness(password: string, about: readonly string[]): string | null {
  const text = normal(password).toLowerCase();
  if ([...text].length < PASSWORD_MIN_LENGTH) return `must have at least ${PASSWORD_MIN_LENGTH} characters`;
  if (COMMON.has(text)) return "is one of the passwords that are tried first";
  if (new Set(text).size < 4) return "repeats too few characters";
  const known = about.map((each) => each.toLowerCase()).filter((each) => each.length >= 4);
  if (known.some((each) => text === each || text === each + each)) return "is your name or address";
  return null;
}

/** The same password typed on two keyboards is the same text. */
export function normal(password: string): string {
  return password.normalize("NFKC");
}
