import { start } from "../../shared/start.js";
import { App } from "./app.js";
import "./restaurant.css";

start(App, "/restaurant");
