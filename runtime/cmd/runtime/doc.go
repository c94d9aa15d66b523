// Command runtime is an OCI runtime with runc's command line: the same verbs, flags, output formats and
// exit codes, so that whatever drives runc can drive it.
//
// Each verb is one file and one row of the table in verbs.go. The package stays off everything that
// costs time before main: no regular expressions, no templates, no tables built at run time.
package main
