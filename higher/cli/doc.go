// Package cli is what the commands of dhow share: one run of the program (App) with its streams, configuration and client,
// the tree of commands that is built only where the command line goes, docker's help texts, and errors with exit codes.
//
// The commands are in packages named after the nouns of docker's command line, a file for each verb. What docker prints is
// the measure for all of them: higher/cli/commands has tests that run both programs against the same daemon.
package cli
