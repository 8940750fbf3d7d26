/**
 * What a catalogue is made of: cuisines with their dishes, towns with their clocks and currencies. A dish is written as
 * `name|price in minor units|minutes|diets|allergens`; diets are v(egetarian), g (vegan), h(alal), f (gluten free).
 */
export interface CuisineWords {
  readonly cuisine: string;
  /** First and second half of a restaurant's name. */
  readonly names: readonly [readonly string[], readonly string[]];
  readonly starters: readonly string[];
  readonly mains: readonly string[];
  readonly sweets: readonly string[];
  /** What can be chosen with a main: a group's name, and `choice|price` each. The first group has to be answered. */
  readonly options: readonly (readonly [group: string, min: number, max: number, choices: readonly string[]])[];
}

export interface Town {
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  readonly timeZone: string;
  readonly currency: string;
  /** Minor units of this currency for one of the dishes' own. */
  readonly priceFactor: number;
  readonly weight: number;
}

export const TOWNS: readonly Town[] = [
  {
    name: "Istanbul",
    lat: 41.0136,
    lng: 28.955,
    timeZone: "Europe/Istanbul",
    currency: "TRY",
    priceFactor: 30,
    weight: 5,
  },
  { name: "Berlin", lat: 52.52, lng: 13.405, timeZone: "Europe/Berlin", currency: "EUR", priceFactor: 1, weight: 4 },
  { name: "Madrid", lat: 40.4168, lng: -3.7038, timeZone: "Europe/Madrid", currency: "EUR", priceFactor: 1, weight: 3 },
  { name: "London", lat: 51.5072, lng: -0.1276, timeZone: "Europe/London", currency: "GBP", priceFactor: 1, weight: 4 },
  {
    name: "Bogotá",
    lat: 4.711,
    lng: -74.0721,
    timeZone: "America/Bogota",
    currency: "COP",
    priceFactor: 2_500,
    weight: 3,
  },
  {
    name: "New York",
    lat: 40.73,
    lng: -73.99,
    timeZone: "America/New_York",
    currency: "USD",
    priceFactor: 1.2,
    weight: 4,
  },
  { name: "Genoa", lat: 44.4021, lng: 8.9463, timeZone: "Europe/Rome", currency: "EUR", priceFactor: 1, weight: 1 },
];

export const CUISINE_WORDS: readonly CuisineWords[] = [
  {
    cuisine: "pizza",
    names: [
      ["Forno", "Pizzeria", "Il Cornicione", "La Teglia", "Da", "Antica", "Fuoco e", "Casa"],
      ["Vecchio", "Ottanta", "Mario", "Napoli", "Rossa", "Vesuvio", "Margherita", "del Porto", "Luna", "Bella"],
    ],
    starters: [
      "Bruschetta|590|6|vg|gluten",
      "Caprese|790|5|vf|milk",
      "Focaccia|490|7|vg|gluten",
      "Arancini|690|9|v|gluten milk eggs",
    ],
    mains: [
      "Pizza Margherita|890|11|v|gluten milk",
      "Pizza Diavola|1090|12||gluten milk",
      "Pizza Quattro Stagioni|1190|13||gluten milk",
      "Pizza Quattro Formaggi|1150|12|v|gluten milk",
      "Pizza Marinara|790|10|vg|gluten",
      "Pizza Prosciutto|1120|12||gluten milk",
      "Pizza Funghi|1020|12|v|gluten milk",
      "Pizza Tonno|1150|12||gluten milk fish",
      "Pizza Ortolana|1090|12|v|gluten milk",
      "Calzone|1190|14||gluten milk",
      "Lasagne al Forno|1150|15||gluten milk eggs celery",
      "Penne all'Arrabbiata|890|12|vg|gluten",
    ],
    sweets: ["Tiramisu|550|3|v|gluten milk eggs", "Panna Cotta|490|3|f|milk", "Cannolo|450|3|v|gluten milk nuts"],
    options: [
      ["Size", 1, 1, ["Regular|0", "Large|350", "Family|790"]],
      ["Extra", 0, 4, ["Olives|120", "Mushrooms|150", "Ham|190", "Buffalo mozzarella|250", "Chilli|50"]],
    ],
  },
  {
    cuisine: "burgers",
    names: [
      ["Smash", "Grill", "The Brown", "Patty", "Bun", "Black Iron", "Corner", "Big"],
      ["Corner", "Nineteen", "Bag", "Yard", "Works", "House", "Brothers", "Diner", "Stack", "Joint"],
    ],
    starters: [
      "Onion Rings|450|7|v|gluten milk",
      "Chicken Wings|790|12|h|celery",
      "Mozzarella Sticks|650|8|v|gluten milk",
      "Coleslaw|350|2|vf|eggs mustard",
    ],
    mains: [
      "Cheeseburger|1090|10||gluten milk mustard sesame",
      "Double Smash Burger|1390|12||gluten milk mustard sesame",
      "Bacon Burger|1290|11||gluten milk sesame",
      "Bean Burger|1050|11|vg|gluten soybeans sesame",
      "Crispy Chicken Burger|1190|12|h|gluten eggs sesame",
      "Mushroom Swiss Burger|1250|12||gluten milk sesame",
      "Fish Burger|1150|11||gluten fish eggs",
      "Halloumi Burger|1150|10|v|gluten milk sesame",
      "Hot Dog|690|6||gluten mustard",
      "Pulled Pork Bun|1190|9||gluten mustard celery",
      "Loaded Fries|890|9|v|milk",
      "Caesar Salad|990|7||gluten milk eggs fish",
    ],
    sweets: ["Milkshake|490|3|vf|milk", "Brownie|450|2|v|gluten milk eggs nuts", "Cookie|290|1|v|gluten milk eggs"],
    options: [
      ["Done", 1, 1, ["Medium|0", "Well done|0"]],
      ["On top", 0, 4, ["Bacon|190", "Cheddar|120", "Fried egg|150", "Jalapeños|90", "Avocado|200"]],
    ],
  },
  {
    cuisine: "sushi",
    names: [
      ["Kaze", "Blue", "Little", "Sushi", "Umi", "Sakura", "Koi", "Maru"],
      ["Tuna", "Osaka", "Bar", "Garden", "Ten", "House", "Kitchen", "Nine", "Tokyo", "Roll"],
    ],
    starters: [
      "Miso Soup|390|5|vg|soybeans",
      "Edamame|450|4|vgf|soybeans",
      "Gyoza|690|8||gluten soybeans sesame",
      "Wakame Salad|550|3|vg|sesame soybeans",
    ],
    mains: [
      "Salmon Nigiri|1290|14||fish soybeans",
      "Tuna Nigiri|1390|14||fish soybeans",
      "Maki Mix|1190|13||fish soybeans sesame",
      "California Roll|1090|12||crustaceans eggs sesame",
      "Dragon Roll|1450|15||fish crustaceans sesame",
      "Avocado Maki|790|9|vg|soybeans",
      "Chirashi|1590|16||fish soybeans eggs",
      "Salmon Teriyaki|1490|16||fish soybeans gluten",
      "Chicken Katsu Curry|1290|15||gluten eggs celery",
      "Yakisoba|1090|12||gluten soybeans",
      "Tempura Udon|1190|13||gluten crustaceans",
      "Tofu Poke Bowl|1150|9|vg|soybeans sesame",
    ],
    sweets: ["Mochi|490|2|vf|soybeans", "Matcha Cheesecake|590|2|v|milk eggs gluten", "Dorayaki|450|2|v|gluten eggs"],
    options: [
      ["Wasabi", 1, 1, ["With wasabi|0", "Without wasabi|0"]],
      ["Add", 0, 3, ["Ginger|50", "Soy sauce, low salt|30", "Spicy mayo|80"]],
    ],
  },
  {
    cuisine: "thai",
    names: [
      ["Bai", "Siam", "Lemon", "Thai", "Royal", "Baan", "Mango", "Chili"],
      ["Toey", "Corner", "Grass", "Orchid", "Kitchen", "Street", "Basil", "Garden", "Wok", "Tuk Tuk"],
    ],
    starters: [
      "Spring Rolls|550|8|vg|gluten soybeans",
      "Chicken Satay|690|10|h|peanuts soybeans",
      "Som Tam|790|7|f|fish peanuts",
      "Tom Kha|690|10||fish celery",
    ],
    mains: [
      "Pad Thai|1190|12||eggs peanuts fish",
      "Green Curry|1250|14||fish crustaceans",
      "Red Curry|1250|14||fish crustaceans",
      "Massaman Curry|1350|16||peanuts fish",
      "Panang Tofu|1190|13|vgf|soybeans peanuts",
      "Pad Krapao|1190|11||soybeans fish",
      "Pineapple Fried Rice|1090|11|v|eggs soybeans nuts",
      "Cashew Chicken|1250|13|h|nuts soybeans",
      "Tom Yum Noodles|1150|12||crustaceans fish",
      "Crispy Duck|1590|18||gluten soybeans",
      "Pad See Ew|1150|11||gluten soybeans eggs",
      "Steamed Sea Bass|1790|20|f|fish",
    ],
    sweets: ["Mango Sticky Rice|590|5|vgf|", "Coconut Ice Cream|450|2|vgf|", "Banana Fritters|490|6|vg|gluten"],
    options: [
      ["Heat", 1, 1, ["Mild|0", "Medium|0", "Thai hot|0"]],
      ["With", 0, 2, ["Jasmine rice|250", "Fried egg|150", "Prawns|390"]],
    ],
  },
  {
    cuisine: "indian",
    names: [
      ["Saffron", "Delhi", "Tandoor", "Spice", "Maharaja", "Curry", "Bombay", "Masala"],
      ["House", "Express", "Lane", "Route", "Palace", "Leaf", "Kitchen", "Junction", "Garden", "Club"],
    ],
    starters: [
      "Samosa|490|7|vg|gluten",
      "Onion Bhaji|450|7|vgf|",
      "Chicken Pakora|650|9|h|gluten",
      "Papadam|250|2|vgf|",
    ],
    mains: [
      "Chicken Tikka Masala|1290|17|hf|milk nuts",
      "Butter Chicken|1290|17|hf|milk nuts",
      "Dal Makhani|1090|15|vf|milk",
      "Palak Paneer|1150|14|vf|milk",
      "Chana Masala|990|13|vgf|",
      "Lamb Biryani|1450|19|h|milk nuts",
      "Lamb Rogan Josh|1450|19|hf|milk",
      "Chicken Vindaloo|1250|16|hf|mustard",
      "Aloo Gobi|990|13|vgf|",
      "Malai Kofta|1190|15|v|milk nuts",
      "Prawn Curry|1490|16|f|crustaceans",
      "Tandoori Platter|1690|20|h|milk",
    ],
    sweets: ["Gulab Jamun|420|3|v|milk gluten", "Mango Lassi|420|3|vf|milk", "Kheer|390|3|vf|milk nuts"],
    options: [
      ["Heat", 1, 1, ["Mild|0", "Medium|0", "Hot|0"]],
      ["Bread and rice", 0, 3, ["Garlic naan|350", "Basmati rice|290", "Roti|250"]],
    ],
  },
  {
    cuisine: "mexican",
    names: [
      ["Casa", "Taco", "El", "La", "Agave", "Mi", "Cantina", "Don"],
      ["Luz", "Norte", "Comal", "Catrina", "Verde", "Pueblo", "Azul", "Maíz", "Lola", "Fuego"],
    ],
    starters: ["Nachos|790|7|v|milk", "Guacamole|690|4|vgf|", "Elote|450|6|vf|milk", "Sopa de Tortilla|650|8||milk"],
    mains: [
      "Tacos al Pastor|1090|10||",
      "Tacos de Pescado|1190|11||fish gluten",
      "Tacos de Carnitas|1090|10||",
      "Burrito de Pollo|1150|11|h|gluten milk",
      "Burrito Vegano|1090|10|vg|gluten soybeans",
      "Quesadilla|890|9|v|gluten milk",
      "Enchiladas Verdes|1190|14||milk",
      "Chili con Carne|1090|12|f|celery",
      "Fajitas|1490|16||gluten milk",
      "Pozole|1150|12||",
      "Mole Poblano|1390|18||nuts sesame peanuts",
      "Torta Ahogada|1050|10||gluten milk",
    ],
    sweets: ["Churros|490|6|v|gluten eggs", "Flan|450|2|vf|milk eggs", "Tres Leches|520|2|v|milk eggs gluten"],
    options: [
      ["Salsa", 1, 1, ["Verde|0", "Roja|0", "Habanero|0"]],
      ["Add", 0, 3, ["Cheese|120", "Guacamole|250", "Sour cream|90"]],
    ],
  },
  {
    cuisine: "turkish",
    names: [
      ["Lokanta", "Anatolia", "Bosphorus", "Sultan", "Çınar", "Meydan", "Köşe", "Usta"],
      ["Mangal", "Sofrası", "Grill", "Ocakbaşı", "Kebap", "Evi", "Bahçe", "Fırın", "Lezzet", "Durağı"],
    ],
    starters: [
      "Mercimek Çorbası|390|5|vgh|celery",
      "Humus|450|3|vgf|sesame",
      "Sigara Böreği|490|7|v|gluten milk",
      "Cacık|350|3|vf|milk",
    ],
    mains: [
      "Adana Kebap|1190|14|h|gluten",
      "Urfa Kebap|1190|14|h|gluten",
      "İskender|1390|15|h|gluten milk",
      "Döner Dürüm|790|6|h|gluten",
      "Tavuk Şiş|1090|13|hf|milk",
      "Lahmacun|490|8|h|gluten",
      "Pide Kaşarlı|890|11|v|gluten milk",
      "Pide Kıymalı|990|12|h|gluten",
      "Mantı|1090|13|h|gluten milk eggs",
      "İmam Bayıldı|890|10|vgf|",
      "Köfte|1050|12|h|gluten",
      "Falafel Tabağı|890|9|vg|sesame",
    ],
    sweets: ["Baklava|550|2|v|gluten nuts milk", "Künefe|690|8|v|gluten milk nuts", "Sütlaç|420|2|vf|milk"],
    options: [
      ["Bread", 1, 1, ["Lavaş|0", "Pide|0", "None|0"]],
      ["Add", 0, 3, ["Bulgur|190", "Yoghurt|120", "Grilled pepper|90"]],
    ],
  },
  {
    cuisine: "breakfast",
    names: [
      ["Morning", "Crumb", "Oat and", "Early", "Sunny", "Daily", "Roast", "Little"],
      ["Person", "Corner", "Rye", "Bird", "Side", "Grind", "Table", "Bakery", "Oven", "Cup"],
    ],
    starters: [
      "Croissant|290|2|v|gluten milk eggs",
      "Fruit Bowl|590|4|vgf|",
      "Granola|690|3|v|milk nuts gluten",
      "Cinnamon Bun|350|2|v|gluten milk",
    ],
    mains: [
      "Shakshuka|990|12|vf|eggs",
      "Pancakes|850|10|v|gluten milk eggs",
      "Avocado Toast|890|8|vg|gluten",
      "Eggs Benedict|1150|12||gluten eggs milk",
      "Full Breakfast|1290|15||gluten eggs milk",
      "Omelette|890|9|vf|eggs milk",
      "Bagel with Salmon|1090|6||gluten fish milk sesame",
      "French Toast|890|10|v|gluten milk eggs",
      "Porridge|590|6|v|gluten milk",
      "Club Sandwich|1090|9||gluten eggs",
      "Grilled Cheese|790|7|v|gluten milk",
      "Tofu Scramble|950|10|vg|soybeans",
    ],
    sweets: [
      "Carrot Cake|450|1|v|gluten eggs nuts",
      "Banana Bread|390|1|v|gluten eggs",
      "Cheesecake|490|1|v|milk eggs gluten",
    ],
    options: [
      ["Eggs", 1, 1, ["As it comes|0", "Without egg|0"]],
      ["Add", 0, 3, ["Bacon|190", "Feta|150", "Hash brown|170"]],
    ],
  },
];

export const SIDES: readonly string[] = [
  "Fries|390|6|vg|",
  "Sweet Potato Fries|450|7|vg|",
  "Green Salad|420|3|vgf|mustard",
  "Rice|290|4|vgf|",
  "Garlic Bread|390|5|v|gluten milk",
  "Grilled Vegetables|490|8|vgf|",
];

export const DRINKS: readonly string[] = [
  "Still Water|190|1|vgf|",
  "Sparkling Water|190|1|vgf|",
  "Cola|290|1|vgf|",
  "Lemonade|320|1|vgf|",
  "Orange Juice|390|2|vgf|",
  "Iced Tea|320|1|vgf|",
  "Ayran|250|1|vf|milk",
  "Espresso|240|2|vgf|",
  "Flat White|380|3|vf|milk",
  "Ginger Beer|350|1|vgf|",
];

/** Put in front of a dish when a menu is longer than its cuisine's. */
export const VARIANTS: readonly string[] = [
  "House",
  "Spicy",
  "Grandmother's",
  "Smoky",
  "Little",
  "Crispy",
  "Roasted",
  "Sunday",
];
