// Package compiled is the form in which a compiled seccomp profile travels: from the compiler program
// to its caller, and to and from the cache.
//
// A blob is a 32-byte header and an array of struct sock_filter (linux/filter.h), all in the byte order
// of the machine that made it, because the kernel wants the array so and a blob never leaves its machine:
//
//	 0  8  magic "dhowscmp"
//	 8  4  version of this layout
//	12  4  SECCOMP_FILTER_FLAG_* bits
//	16  4  1 when the filter has SECCOMP_RET_USER_NOTIF, else 0
//	20  4  number of instructions, 1 to 4096
//	24  4  sum of every other byte of the blob, see Sum64
//	28  4  zero
//	32  …  instructions, 8 bytes each
package compiled
