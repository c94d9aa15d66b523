// Package print writes configurations as JSON for people: indented with tabs, as `runc spec` does.
package print
