/** The client of PostgreSQL: whoever of this folder needs `pg` takes it from here. */

// First, and by itself: imports are run in their order.
import "./without-fetch.js";

import pg from "pg";
import { forgetNavigator } from "./without-fetch.js";

forgetNavigator();

export default pg;
