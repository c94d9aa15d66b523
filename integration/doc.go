// Package integration holds the end-to-end tests of dhow's programs, and what they share: bundles made
// from busybox, a runtime driven through its command line, a check that nothing is left behind.
//
// The program under test is the one named by $RUNTIME, by default bin/runtime. Because its command line
// is runc's, the same tests run against a peer (RUNTIME=/usr/sbin/runc), which keeps them honest.
package integration
