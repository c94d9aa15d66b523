// Package lists keeps manifest lists that are being made, below manifests/ in the configuration folder: a folder for each
// list, a file of JSON for each image in it. Layout and names are docker's, so that docker and dhow go on with each other's.
package lists
