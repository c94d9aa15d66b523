// Package commands puts all commands of dhow together, and runs one.
package commands
