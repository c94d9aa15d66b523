// Package apparmor has the profile that containers run under unless somebody says otherwise, under Docker's name
// docker-default, and loads it into the kernel with apparmor_parser(8), which alone can compile the language of
// profiles (apparmor.d(5)).
package apparmor
