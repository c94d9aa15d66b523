// Package idmap gives a new user namespace its id mappings (user_namespaces(7)): by a write where the kernel allows
// it, otherwise through newuidmap(1) and newgidmap(1), the setuid programs that hand out the ids of subuid(5) and
// subgid(5). These two are the only programs of the host that the runtime executes on its own account.
package idmap
