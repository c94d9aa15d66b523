// Package complete writes shell completion scripts for a program of commands and flags. The scripts are
// drawn from the tables that the program itself is driven by, so they cannot fall behind it.
package complete
