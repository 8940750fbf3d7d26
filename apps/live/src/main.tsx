import { render } from "preact";
import "../../shared/theme.css";
import { startTheme } from "../../shared/theme.js";
import { App } from "./app.js";
import "./live.css";

startTheme();
render(<App />, document.getElementById("app")!);
