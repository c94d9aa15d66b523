// Package format prints what commands have to say: tables and Go templates with docker's functions and fields, JSON, sizes and
// times in docker's units.
package format
