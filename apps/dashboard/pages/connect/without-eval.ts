// Imported before any schema is made: zod would try whether it may compile them, which the content security policy forbids and reports.
import * as z from "zod";

z.config({ jitless: true });
