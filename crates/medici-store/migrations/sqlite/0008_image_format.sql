-- What kind of file an image is. All from before are PNG.
ALTER TABLE images ADD COLUMN format TEXT NOT NULL DEFAULT 'png';
