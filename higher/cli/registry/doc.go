// Package registry is the commands about registries: login, logout, search.
package registry
