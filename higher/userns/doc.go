// Package userns is what --userns-remap says: which user of the host has the ranges of ids (subuid(5)) that containers
// get for theirs, and how the ids of one side become those of the other (user_namespaces(7)).
package userns
