// Package contexts keeps contexts, that is daemons by name, where and how docker keeps them: below contexts/ of the
// configuration folder, meta/ID/meta.json and tls/ID/docker/{ca,cert,key}.pem, with the SHA-256 of the name as ID.
package contexts
