// Package flags reads command lines written the way runc's users write them, from hand-written tables.
//
// A flag is accepted as -name, --name, --name=value, --name value and by its one-letter alias. Flags may
// stand among positional arguments (Parse), or end at the first of them (ParseLeading), and end at "--".
// The package exists instead of the standard library's because the same table also draws the help text
// and the shell completions, because an unknown flag should name the one that was meant, and because it
// costs nothing at start-up.
package flags
